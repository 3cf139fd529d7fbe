/* The two forms of each piece, side by side. */
#include "prose.h"

#include "export.h"
#include "html.h"

static void write_text(const struct prose *prose, const char *text)
{
    if (prose->html)
        html_sentence(prose->file, text);
    else
        export_markdown_text(prose->file, text);
}

void prose_heading(const struct prose *prose, int level, const char *text)
{
    for (int i = 0; i < level && !prose->html; i++) fputc('#', prose->file);
    fprintf(prose->file, prose->html ? "<h%d>" : " ", level);
    write_text(prose, text);
    fprintf(prose->file, prose->html ? "</h%d>\n" : "\n\n", level);
}

void prose_paragraph(const struct prose *prose, const char *text)
{
    if (!*text) return;
    fputs(prose->html ? "<p>" : "", prose->file);
    write_text(prose, text);
    fputs(prose->html ? "</p>\n" : "\n\n", prose->file);
}

void prose_item(const struct prose *prose, bool first, const char *text)
{
    fputs(prose->html ? (first ? "<ul>\n<li>" : "<li>") : "- ", prose->file);
    write_text(prose, text);
    fputs(prose->html ? "</li>\n" : "\n", prose->file);
}

void prose_end_list(const struct prose *prose)
{
    fputs(prose->html ? "</ul>\n" : "\n", prose->file);
}

void prose_open_table(const struct prose *prose, const char *label, int count, const char *const names[], int words)
{
    if (prose->html) {
        fputs("<div class=\"narrow\">\n", prose->file);
        html_open_table(prose->file, label);
        fputs("<thead><tr>", prose->file);
        for (int i = 0; i < count; i++)
            html_write(prose->file,
                       i >= words ? "<th scope=\"col\" class=\"left\">%s</th>" : "<th scope=\"col\">%s</th>", names[i]);
        fputs("</tr></thead>\n<tbody>\n", prose->file);
        return;
    }
    for (int i = 0; i < count; i++) {
        fputs("| ", prose->file);
        write_text(prose, names[i]);
        fputc(' ', prose->file);
    }
    fputs("|\n", prose->file);
    for (int i = 0; i < count; i++) fputs(i == 0 || i >= words ? "|:---" : "|---:", prose->file);
    fputs("|\n", prose->file);
}

void prose_row(const struct prose *prose, int count, const char *const cells[], int words)
{
    fputs(prose->html ? "<tr>" : "", prose->file);
    for (int i = 0; i < count; i++) {
        if (prose->html)
            fputs(i == 0 ? "<th scope=\"row\">" : i >= words ? "<td class=\"words\"><div>" : "<td>", prose->file);
        else
            fputs("| ", prose->file);
        write_text(prose, cells[i]);
        if (prose->html)
            fputs(i == 0 ? "</th>" : i >= words ? "</div></td>" : "</td>", prose->file);
        else
            fputc(' ', prose->file);
    }
    fputs(prose->html ? "</tr>\n" : "|\n", prose->file);
}

void prose_close_table(const struct prose *prose)
{
    if (!prose->html) {
        fputc('\n', prose->file);
        return;
    }
    html_close_table(prose->file);
    fputs("</div>\n", prose->file);
}
