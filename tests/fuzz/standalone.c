/* SPDX-License-Identifier: Apache-2.0
 *
 * standalone.c - runs a fuzz target on every file of a corpus directory, without libFuzzer. A
 * missing or empty corpus is a failure: it would test nothing.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The memory is exactly as large as the input, so that a sanitizer sees a read behind it. */
static int file_run(const char *path, size_t size)
{
    FILE *file = fopen(path, "rb");
    uint8_t *data = malloc(size == 0 ? 1 : size);
    int is_run = 0;

    if (file != NULL && data != NULL && fread(data, 1, size, file) == size) {
        printf("%s\n", path);
        (void)fflush(stdout); /* says which one it was, should the target abort */
        is_run = LLVMFuzzerTestOneInput(data, size) == 0;
    }
    free(data);
    if (file != NULL) {
        (void)fclose(file);
    }
    return is_run;
}

/* Returns the number of files run, -1 when one could not be. */
static int directory_run(DIR *directory, const char *name)
{
    const struct dirent *entry;
    int count = 0;

    while ((entry = readdir(directory)) != NULL) {
        char path[4096];
        struct stat info;
        int length = snprintf(path, sizeof path, "%s/%s", name, entry->d_name);
        if (length < 0 || (size_t)length >= sizeof path || stat(path, &info) != 0) {
            return -1;
        }
        if (!S_ISREG(info.st_mode)) {
            continue;
        }
        if (!file_run(path, (size_t)info.st_size)) {
            return -1;
        }
        count++;
    }
    return count;
}

int main(int argc, char *argv[])
{
    DIR *directory = argc == 2 ? opendir(argv[1]) : NULL;

    if (directory == NULL) {
        fprintf(stderr, "usage: %s <corpus directory>\n", argv[0]);
        return EXIT_FAILURE;
    }
    int count = directory_run(directory, argv[1]);
    (void)closedir(directory);
    if (count <= 0) {
        fprintf(stderr, "%s: %s\n", argv[1], count == 0 ? "holds no file" : "cannot be run");
        return EXIT_FAILURE;
    }
    printf("%d inputs\n", count);
    return EXIT_SUCCESS;
}
