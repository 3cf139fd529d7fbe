/* The nearest name: optimal string alignment distance (Levenshtein's insertions, deletions and substitutions, and swaps
 * of neighbours), by three rolling rows of the usual table; then beginnings of names. Names are short: O(n^2) is
 * nothing.
 */
#include "options.h"

#include <ctype.h>
#include <string.h>

enum { NAME_MAX_LENGTH = 63, BEGINNING_MIN_LENGTH = 3 };

static int lower(char c)
{
    return tolower((unsigned char)c);
}

static int min3(int a, int b, int c)
{
    int ab = a < b ? a : b;
    return ab < c ? ab : c;
}

static int distance(const char *a, const char *b)
{
    int rows[3][NAME_MAX_LENGTH + 1];
    int a_length = (int)strlen(a), b_length = (int)strlen(b);
    for (int j = 0; j <= b_length; j++) rows[0][j] = j;
    for (int i = 1; i <= a_length; i++) {
        int *row = rows[i % 3], *above = rows[(i + 2) % 3], *above2 = rows[(i + 1) % 3];
        row[0] = i;
        for (int j = 1; j <= b_length; j++) {
            int substituted = above[j - 1] + (lower(a[i - 1]) != lower(b[j - 1]));
            row[j] = min3(above[j] + 1, row[j - 1] + 1, substituted);
            bool swapped = i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) && lower(a[i - 2]) == lower(b[j - 1]);
            if (swapped && above2[j - 2] + 1 < row[j]) row[j] = above2[j - 2] + 1;
        }
    }
    return rows[a_length % 3][b_length];
}

static bool is_near(int edits, size_t text_length, size_t name_length)
{
    size_t longer = text_length > name_length ? text_length : name_length;
    size_t allowed = longer / 3 > 1 ? longer / 3 : 1;
    /* With as many edits as letters, nothing of the name was there. */
    return (size_t)edits <= allowed && (size_t)edits < longer;
}

static const char *only_beginning(const char *text, const char *const *names)
{
    const char *found = NULL;
    size_t length = strlen(text);
    if (length < BEGINNING_MIN_LENGTH) return NULL;
    for (; *names; names++) {
        if (strncasecmp(text, *names, length) != 0) continue;
        if (found) return NULL;
        found = *names;
    }
    return found;
}

const char *options_nearest(const char *text, const char *const *names)
{
    const char *nearest = NULL;
    int fewest = 0;
    size_t length = strlen(text);
    if (length == 0 || length > NAME_MAX_LENGTH) return NULL;
    for (const char *const *name = names; *name; name++) {
        if (strlen(*name) > NAME_MAX_LENGTH) continue;
        int edits = distance(text, *name);
        if (!is_near(edits, length, strlen(*name)) || (nearest && edits >= fewest)) continue;
        nearest = *name;
        fewest = edits;
    }
    return nearest ? nearest : only_beginning(text, names);
}
