/* SPDX-License-Identifier: Apache-2.0
 *
 * test_exports.c - reads the dynamic symbols of the built module: it exports the three functions
 * that Mosquitto looks for and nothing else, and it cannot end the broker. The module cannot simply
 * be loaded here, because the functions that it takes from the broker are missing.
 * Usage: module_exports FILE [--instrumented]; a coverage build holds a run-time library that may
 * call exit(3), so there only the exports are checked.
 */
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

typedef ElfW(Ehdr) elf_header;
typedef ElfW(Shdr) elf_section;
typedef ElfW(Sym) elf_symbol;

static const char *const EXPORTS[] = {"mosquitto_plugin_version", "mosquitto_plugin_init",
                                      "mosquitto_plugin_cleanup"};
enum { EXPORTS_COUNT = sizeof(EXPORTS) / sizeof(EXPORTS[0]) };

/* Calls that would end the broker, and one without which the file is no plugin. */
static const char *const FORBIDDEN[] = {"exit", "_exit", "_Exit", "quick_exit", "abort"};
static const char EXPECTED_UNDEFINED[] = "mosquitto_callback_register";

struct file {
    const unsigned char *data;
    size_t size;
};

struct symbols {
    const elf_symbol *symbol;
    size_t count;
    const char *names;
    size_t names_bytes;
};

static bool file_map(const char *path, struct file *out_file)
{
    struct stat status;
    void *data;
    int fd = open(path, O_RDONLY);

    if (fd < 0) {
        return false;
    }
    if (fstat(fd, &status) != 0 || status.st_size <= 0) {
        close(fd);
        return false;
    }
    data = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    close(fd);
    if (data == MAP_FAILED) {
        return false;
    }
    *out_file = (struct file){data, (size_t)status.st_size};
    return true;
}

/* NULL when the range is not within the file. */
static const void *file_at(const struct file *file, size_t offset, size_t bytes)
{
    if (offset > file->size || bytes > file->size - offset) {
        return NULL;
    }
    return file->data + offset;
}

static const elf_section *section_at(const struct file *file, size_t index)
{
    const elf_header *header = file_at(file, 0, sizeof(*header));

    if (header == NULL || memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 ||
        index >= header->e_shnum) {
        return NULL;
    }
    return file_at(file, header->e_shoff + index * sizeof(elf_section), sizeof(elf_section));
}

static bool symbols_find(const struct file *file, struct symbols *out_symbols)
{
    const elf_section *section = section_at(file, 0);
    const elf_section *names;

    for (size_t i = 1; section != NULL && section->sh_type != SHT_DYNSYM; i++) {
        section = section_at(file, i);
    }
    if (section == NULL) {
        return false;
    }
    names = section_at(file, section->sh_link);
    if (names == NULL || names->sh_size == 0) {
        return false;
    }
    out_symbols->symbol = file_at(file, section->sh_offset, section->sh_size);
    out_symbols->count = section->sh_size / sizeof(elf_symbol);
    out_symbols->names = file_at(file, names->sh_offset, names->sh_size);
    out_symbols->names_bytes = names->sh_size;
    return out_symbols->symbol != NULL && out_symbols->names != NULL &&
           out_symbols->names[out_symbols->names_bytes - 1] == '\0';
}

static const char *symbol_name(const struct symbols *symbols, size_t index)
{
    size_t offset = symbols->symbol[index].st_name;

    return offset < symbols->names_bytes ? symbols->names + offset : "";
}

/* How often a symbol of this name is exported, or with `is_defined` false asked of others. */
static size_t symbols_count(const struct symbols *symbols, const char *name, bool is_defined)
{
    size_t count = 0;

    for (size_t i = 1; i < symbols->count; i++) {
        if ((symbols->symbol[i].st_shndx != SHN_UNDEF) == is_defined &&
            strcmp(symbol_name(symbols, i), name) == 0) {
            count++;
        }
    }
    return count;
}

static bool is_export(const char *name)
{
    for (size_t i = 0; i < EXPORTS_COUNT; i++) {
        if (strcmp(EXPORTS[i], name) == 0) {
            return true;
        }
    }
    return false;
}

static int check_exports(const struct symbols *symbols)
{
    int failures = 0;

    for (size_t i = 0; i < EXPORTS_COUNT; i++) {
        if (symbols_count(symbols, EXPORTS[i], true) != 1) {
            fprintf(stderr, "not exported: %s\n", EXPORTS[i]);
            failures++;
        }
    }
    for (size_t i = 1; i < symbols->count; i++) {
        if (symbols->symbol[i].st_shndx != SHN_UNDEF && !is_export(symbol_name(symbols, i))) {
            fprintf(stderr, "exported, but not by contract: %s\n", symbol_name(symbols, i));
            failures++;
        }
    }
    return failures;
}

static int check_undefined(const struct symbols *symbols)
{
    int failures = 0;

    for (size_t i = 0; i < sizeof(FORBIDDEN) / sizeof(FORBIDDEN[0]); i++) {
        if (symbols_count(symbols, FORBIDDEN[i], false) != 0) {
            fprintf(stderr, "used, but would end the broker: %s\n", FORBIDDEN[i]);
            failures++;
        }
    }
    if (symbols_count(symbols, EXPECTED_UNDEFINED, false) != 1) {
        fprintf(stderr, "not used: %s\n", EXPECTED_UNDEFINED);
        failures++;
    }
    return failures;
}

int main(int argc, char **argv)
{
    struct file file;
    struct symbols symbols;
    int failures;
    bool is_instrumented = argc == 3 && strcmp(argv[2], "--instrumented") == 0;

    if ((argc != 2 && !is_instrumented) || !file_map(argv[1], &file)) {
        fprintf(stderr, "usage: module_exports FILE [--instrumented]; FILE must be readable\n");
        return 1;
    }
    if (!symbols_find(&file, &symbols)) {
        fprintf(stderr, "%s: no dynamic symbols found\n", argv[1]);
        return 1;
    }
    failures = check_exports(&symbols);
    if (!is_instrumented) {
        failures += check_undefined(&symbols);
    }
    printf("%zu dynamic symbols, %d failures\n", symbols.count, failures);
    return failures == 0 ? 0 : 1;
}
