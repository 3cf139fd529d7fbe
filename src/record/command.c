/* The target of a configuration that is a command. Its words may be any bytes, and JSON holds UTF-8 alone: a word that
 * is none is written as {"hex": "66ff6f"}, which nothing else can be, so that no two commands look the same. */
#include "fields.h"

#include "../plan/command.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

json_t *record_encode_text(const char *word)
{
    static const char digits[] = "0123456789abcdef";
    json_t *text = json_string(word);
    if (text) return text;
    size_t length = strlen(word);
    char *hex = malloc(2 * length + 1);
    if (!hex) return NULL;
    for (size_t i = 0; i < length; i++) {
        hex[2 * i] = digits[(unsigned char)word[i] >> 4];
        hex[2 * i + 1] = digits[(unsigned char)word[i] & 15];
    }
    hex[2 * length] = '\0';
    json_t *object = json_pack("{s:s}", "hex", hex);
    free(hex);
    return object;
}

static json_t *words_encode(const struct command_target *target, int count,
                            const char *(*nth)(const struct command_target *, int))
{
    json_t *array = json_array();
    for (int i = 0; array && i < count; i++)
        if (json_array_append_new(array, record_encode_text(nth(target, i)))) {
            json_decref(array);
            array = NULL;
        }
    return array;
}

int command_encode(const struct command_target *command, json_t *target)
{
    int failed = json_object_set_new(target, "kind", json_string("command"));
    failed |= json_object_set_new(target, "argv", words_encode(command, command->word_count, command_word));
    failed |= json_object_set_new(target, "env", words_encode(command, command->setting_count, command_setting));
    failed |= json_object_set_new(target, "launcher", record_encode_text(command->launcher));
    failed |= json_object_set_new(target, "shell", json_boolean(command->shell));
    failed |= json_object_set_new(target, "bind", json_boolean(command->bind));
    failed |= json_object_set_new(target, "time", record_encode_text(command->time));
    return failed;
}

json_t *record_encode_target(const struct command_target *command)
{
    json_t *target = json_object();
    if (target && command_encode(command, target) == 0) return target;
    json_decref(target);
    return NULL;
}

static int digit_value(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int record_decode_text(const json_t *json, size_t size, char *word_p)
{
    size_t length = json_string_length(json);
    if (json_is_string(json)) {
        if (length >= size || strlen(json_string_value(json)) != length) return -1;
        memcpy(word_p, json_string_value(json), length + 1);
        return (int)length;
    }
    const char *hex = json_string_value(json_object_get(json, "hex"));
    if (!hex || strlen(hex) % 2 || strlen(hex) / 2 >= size) return -1;
    for (length = 0; hex[2 * length]; length++) {
        int high = digit_value(hex[2 * length]), low = digit_value(hex[2 * length + 1]);
        if (high < 0 || low < 0 || (high == 0 && low == 0)) return -1;
        word_p[length] = (char)(high << 4 | low);
    }
    word_p[length] = '\0';
    return (int)length;
}

static int words_decode(const json_t *array, size_t size, char *words_p, int *count_p)
{
    size_t used = 0;
    if (!json_is_array(array)) return -EINVAL;
    for (size_t i = 0; i < json_array_size(array); i++) {
        int length = record_decode_text(json_array_get(array, i), size - used, words_p + used);
        if (length < 0) return -EINVAL;
        used += (size_t)length + 1;
    }
    *count_p = (int)json_array_size(array);
    return 0;
}

int command_decode(const json_t *target, struct command_target *command_p, struct error *error)
{
    struct command_target command = {.word_count = 0};
    const json_t *shell = json_object_get(target, "shell"), *bind = json_object_get(target, "bind");
    const char *wrong = NULL;
    if (words_decode(json_object_get(target, "argv"), sizeof command.words, command.words, &command.word_count) ||
        command.word_count == 0)
        wrong = "argv\": expected an array of words, each a text or {\"hex\": ...}, of at most 4096 bytes";
    else if (words_decode(json_object_get(target, "env"), sizeof command.settings, command.settings,
                          &command.setting_count))
        wrong = "env\": expected an array of settings, of at most 1024 bytes";
    else if (record_decode_text(json_object_get(target, "launcher"), sizeof command.launcher, command.launcher) < 0)
        wrong = "launcher\": expected a text of under 256 bytes";
    else if (record_decode_text(json_object_get(target, "time"), sizeof command.time, command.time) < 0)
        wrong = "time\": expected a text of under 256 bytes";
    else if (!json_is_boolean(shell) || !json_is_boolean(bind))
        wrong = "shell\" or \"bind\": expected true or false";
    if (wrong) {
        error_set(error, STATUS_USAGE, "\"config.target.%s", wrong);
        return -EINVAL;
    }
    command.shell = json_is_true(shell);
    command.bind = json_is_true(bind);
    *command_p = command;
    return 0;
}
