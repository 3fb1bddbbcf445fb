/* SPDX-License-Identifier: Apache-2.0
 *
 * sqlitestore.h - the store in a file.
 * Hides: SQLite.  Not thread-safe: broker thread only.
 */
#ifndef INVIGILATOR_SQLITESTORE_H
#define INVIGILATOR_SQLITESTORE_H

#include "invigilator/policy.h"
#include "invigilator/store.h"

enum {
    INVIG_STORE_APPLICATION_ID = 0x496E7667, /* "Invg", in the header of the file */
    INVIG_STORE_VERSION = 2,                 /* user_version of the newest schema */
    INVIG_STORE_ERROR_BYTES = 512            /* room for one line of error text, with its NUL */
};

/* Opens `path`, or makes it, readable and writable by its owner alone. An older schema is brought
 * up to date in one transaction.
 *
 *   is_full  state_sync full: a commit survives a power cut, and takes as long as the disk needs;
 *            false: it survives a crash of the broker
 *   error    receives one line: the option, the file, what was found, what is expected
 *
 * Returns INVIG_OK, and *out_store is to be closed; or, with the file left as it was,
 *   INVIG_ERR_FORMAT     no SQLite file, one of another program, one of a newer version, damaged
 *   INVIG_ERR_IO         cannot be opened, read or written: missing directory, read-only, locked by
 *                        another broker, disk full
 *   INVIG_ERR_NO_MEMORY */
enum invig_status invig_sqlitestore_open(const char *path, bool is_full,
                                         struct invig_store *out_store,
                                         char error[INVIG_STORE_ERROR_BYTES]);

/* Looks whether `path` could be opened or made, as far as that shows without writing and without a
 * lock: its kind, its header, the rights to it and to its directory. Whether it is damaged inside,
 * is in use, or has room, is not looked at. `error` and the result are as of
 * invig_sqlitestore_open.
 */
enum invig_status invig_sqlitestore_examine(const char *path, char error[INVIG_STORE_ERROR_BYTES]);

/* The schema's versions from 1 on, to test migrations: brings a new file at `path` to `version`. */
enum invig_status invig_sqlitestore_create(const char *path, int version);

#endif
