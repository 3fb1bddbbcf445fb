/* SPDX-License-Identifier: Apache-2.0
 *
 * keyfile.h - reads a key file as a whole, when it can be trusted. Depends on: status, text.
 */
#ifndef INVIGILATOR_KEYFILE_H
#define INVIGILATOR_KEYFILE_H

#include "invigilator/status.h"
#include "invigilator/text.h"

struct invig_keyfile {
    char *data; /* may hold a secret */
    size_t length;
    bool is_world_readable;
};

/* Why a file could not be used: `"/the/file" {found}, expected {expected}`. */
struct invig_keyfile_fault {
    char found[160];
    const char *expected; /* static */
};

/* Reads a regular file (links are followed) that not everyone can write, of at most `bytes_max`
 * bytes. Opening a file of another kind does not block. On INVIG_OK the caller frees what
 * out_file owns with invig_keyfile_deinit; else out_file is zeroed and out_fault filled in.
 * Returns INVIG_OK, INVIG_ERR_IO, INVIG_ERR_FORMAT (too long) or INVIG_ERR_NO_MEMORY. */
enum invig_status invig_keyfile_read(const char *path, size_t bytes_max,
                                     struct invig_keyfile *out_file,
                                     struct invig_keyfile_fault *out_fault);

/* Wipes and frees. A zeroed file is allowed. */
void invig_keyfile_deinit(struct invig_keyfile *file);

#endif
