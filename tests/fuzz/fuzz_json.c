/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_json.c - objects of any bytes and their members; documents written by the same bytes, which
 * must be JSON whatever they say.
 */
#include "json.h"
#include "jsonwriter.h"

#include "invigilator/jsontext.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const NAMES[] = {"type", "a", "", "\xC3\xA4", "a/\"\\\n"};

enum { NAME_COUNT = sizeof NAMES / sizeof NAMES[0], WRITER_DEPTH_MAX = 16 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool condition, const char *what)
{
    if (!condition) {
        fprintf(stderr, "fuzz_json: %s\n", what);
        abort();
    }
}

static void must_be_string(struct invig_text text)
{
    must(text.data != NULL && memchr(text.data, '\0', text.length) == NULL, "string");
    while (text.length > 0) {
        must(invig_text_next_code_point(&text) > 0, "not UTF-8");
    }
}

static void value_check(const struct invig_value *value)
{
    must(value->kind >= INVIG_VALUE_ABSENT && value->kind <= INVIG_VALUE_OTHER, "kind");
    must(value->kind == INVIG_VALUE_STRING || value->string.data == NULL, "text of another kind");
    must(value->kind == INVIG_VALUE_INTEGER || value->integer == 0, "integer of another kind");
    must(value->kind == INVIG_VALUE_BOOLEAN || !value->boolean, "boolean of another kind");
    must(value->kind == INVIG_VALUE_STRINGS || value->string_count == 0, "strings of another kind");
    must(value->string_count <= INVIG_VALUE_STRINGS_MAX, "count");
    must(value->integer != INT64_MAX && value->integer != INT64_MIN, "integer");
    if (value->kind == INVIG_VALUE_STRING) {
        must_be_string(value->string);
    }
    for (size_t i = 0; i < value->string_count; i++) {
        must_be_string(value->strings[i]);
    }
}

static void object_check(struct invig_json_object *object, size_t member_count)
{
    struct invig_value_source source = invig_json_object_source(object);
    size_t found = 0;

    for (size_t i = 0; i < NAME_COUNT; i++) {
        struct invig_value value;
        memset(&value, 0xEE, sizeof value);
        source.get(source.context, NAMES[i], &value);
        value_check(&value);
        found += value.kind == INVIG_VALUE_ABSENT ? 0 : 1;
    }
    must(found <= source.member_count && source.member_count <= member_count, "members");
}

static void read_try(struct invig_text input)
{
    struct invig_json_object *object;
    size_t members;
    bool is_json = invig_jsontext_check(input, INVIG_JSON_DEPTH_MAX, &members);
    enum invig_status status = invig_json_read_object(input, &object);

    must((status == INVIG_OK) == (object != NULL), "object");
    if (status == INVIG_OK) {
        must(is_json, "not strict");
        object_check(object, members);
    } else {
        must(status == INVIG_ERR_FORMAT, "status");
    }
    invig_json_object_free(object);
}

/* What is still to be written from. */
struct input {
    struct invig_text rest;
    size_t depth;
    bool is_array[WRITER_DEPTH_MAX]; /* the open containers */
    size_t member_count[WRITER_DEPTH_MAX];
};

static uint8_t take_byte(struct input *input)
{
    if (input->rest.length == 0) {
        return 0;
    }
    input->rest.length--;
    return (uint8_t)*input->rest.data++;
}

static struct invig_text take_text(struct input *input)
{
    size_t length = take_byte(input) & 0x1F;

    length = length < input->rest.length ? length : input->rest.length;
    struct invig_text text = {input->rest.data, length};
    input->rest.data += length;
    input->rest.length -= length;
    return text;
}

/* A name where one is needed: a new one each time, in room for one. */
static const char *name_next(struct input *input, char name[32])
{
    if (input->depth == 0 || input->is_array[input->depth - 1]) {
        return NULL;
    }
    size_t number = input->member_count[input->depth - 1]++;
    snprintf(name, 32, "%s%zu", NAMES[number % NAME_COUNT], number);
    return name;
}

/* Opens a container, or writes an integer where it would be too deep. */
static void container_write(struct input *input, const struct invig_writer *writer, bool is_array)
{
    char name[32];
    const char *next = name_next(input, name);

    if (input->depth == WRITER_DEPTH_MAX) {
        writer->integer(writer->context, next, (int64_t)input->rest.length);
        return;
    }
    if (is_array) {
        writer->begin_array(writer->context, next);
    } else {
        writer->begin_object(writer->context, next);
    }
    input->is_array[input->depth] = is_array;
    input->member_count[input->depth] = 0;
    input->depth++;
}

static void step_write(struct input *input, const struct invig_writer *writer)
{
    char name[32];

    switch (take_byte(input) % 8) {
    case 0:
        container_write(input, writer, false);
        break;
    case 1:
        container_write(input, writer, true);
        break;
    case 2:
        if (input->depth > 1) {
            writer->end(writer->context);
            input->depth--;
        }
        break;
    case 3:
        writer->integer(writer->context, name_next(input, name),
                        (int64_t)((uint64_t)take_byte(input) << 56 | take_byte(input)));
        break;
    case 4:
        writer->boolean(writer->context, name_next(input, name), (take_byte(input) & 1) != 0);
        break;
    case 5:
        writer->string(writer->context, name_next(input, name), (struct invig_text){0});
        break;
    default:
        writer->string(writer->context, name_next(input, name), take_text(input));
        break;
    }
}

static void document_check(const char *document)
{
    struct invig_json_object *object;
    size_t members;

    must(document != NULL, "no document");
    struct invig_text text = invig_text_of(document);
    must(invig_jsontext_check(text, WRITER_DEPTH_MAX, &members), "document is no JSON");
    must(strpbrk(document, "\r\n\t") == NULL, "not compact");
    must(invig_json_read_object(text, &object) == INVIG_OK, "document cannot be read");
    invig_json_object_free(object);
}

/* A document that keeps to the rules always comes out. */
static void write_try(struct invig_text text)
{
    struct input input = {.rest = text};
    struct invig_jsonwriter *document = invig_jsonwriter_new();

    must(document != NULL, "memory");
    const struct invig_writer *writer = invig_jsonwriter_writer(document);
    container_write(&input, writer, false);
    while (input.rest.length > 0) {
        step_write(&input, writer);
    }
    for (; input.depth > 0; input.depth--) {
        writer->end(writer->context);
    }
    char *json = invig_jsonwriter_finish(document);
    document_check(json);
    free(json);
    invig_jsonwriter_free(document);
}

/* The same calls without a thought for the rules: nothing, or JSON. */
static void misuse_try(struct invig_text text)
{
    struct input input = {.rest = text};
    struct invig_jsonwriter *document = invig_jsonwriter_new();
    size_t members;

    must(document != NULL, "memory");
    const struct invig_writer *writer = invig_jsonwriter_writer(document);
    while (input.rest.length > 0) {
        uint8_t byte = take_byte(&input);
        const char *name = byte & 8 ? NAMES[(byte >> 4) % NAME_COUNT] : NULL;
        switch (byte % 4) {
        case 0:
            writer->begin_object(writer->context, name);
            break;
        case 1:
            writer->begin_array(writer->context, name);
            break;
        case 2:
            writer->end(writer->context);
            break;
        default:
            writer->string(writer->context, name, take_text(&input));
            break;
        }
    }
    char *json = invig_jsonwriter_finish(document);
    must(json == NULL || invig_jsontext_check(invig_text_of(json), WRITER_DEPTH_MAX, &members),
         "misuse makes no JSON");
    free(json);
    invig_jsonwriter_free(document);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* Empty input comes as NULL from libFuzzer, which would be an absent text. */
    const struct invig_text input = {size == 0 ? "" : (const char *)data, size};

    read_try(input);
    write_try(input);
    misuse_try(input);
    return 0;
}
