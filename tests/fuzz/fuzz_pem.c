/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_pem.c - key files of any bytes, read as a PEM file and as a secret file. The input is the
 * whole file.
 */
#include "key.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ALL = -1, PATH_BYTES = 64 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool condition, const char *what)
{
    if (!condition) {
        fprintf(stderr, "fuzz_pem: %s\n", what);
        abort();
    }
}

/* The file that is written anew for each input; it has no name, so nothing is left behind. */
static int file_get(char path[PATH_BYTES])
{
    static int fd = -1;
    char name[] = "/tmp/invig_fuzz_pem_XXXXXX";

    if (fd < 0) {
        fd = mkstemp(name);
        must(fd >= 0 && unlink(name) == 0, "no file");
    }
    (void)snprintf(path, PATH_BYTES, "/proc/self/fd/%d", fd);
    return fd;
}

static void file_write(int fd, const uint8_t *data, size_t size)
{
    must(ftruncate(fd, 0) == 0, "cannot empty the file");
    must(pwrite(fd, data, size, 0) == (ssize_t)size, "cannot write the file");
}

/* One line that names the option and says what is expected. */
static void must_explain(const char error[INVIG_POLICY_ERROR_BYTES], const char *option)
{
    must(memchr(error, '\0', INVIG_POLICY_ERROR_BYTES) != NULL, "an error without an end");
    must(strncmp(error, option, strlen(option)) == 0, "an error of another option");
    must(strstr(error, ", expected ") != NULL, "an error that expects nothing");
    for (; *error != '\0'; error++) {
        must(*error >= ' ' && *error <= '~', "an error of more than a line");
    }
}

/* What is no signature is taken for none, whatever the key claims to be good for. */
static void must_not_verify(const struct invig_key *key)
{
    static const char zeros[512];

    for (int i = 0; i < INVIG_ALGORITHM_COUNT; i++) {
        for (size_t length = 0; length <= sizeof zeros; length += 32) {
            must(!invig_key_verify(key, (enum invig_algorithm)i, invig_text_of("a.b"),
                                   (struct invig_text){zeros, length}),
                 "a forged signature");
        }
    }
}

static void must_fit(const struct invig_key *key)
{
    must(key->algorithms != 0, "a key for nothing");
    must(key->algorithms == invig_algorithm_set_for(key->type, key->secret_bytes), "fit");
    must((key->public_key == NULL) == (key->type == INVIG_KEY_SECRET), "type");
    must((key->secret == NULL) == (key->type != INVIG_KEY_SECRET), "a secret");
    must(key->kid == NULL && key->next == NULL, "more than one key");
}

static bool text_holds(struct invig_text text, const char *wanted)
{
    size_t length = strlen(wanted);

    for (size_t i = 0; i + length <= text.length; i++) {
        if (memcmp(text.data + i, wanted, length) == 0) {
            return true;
        }
    }
    return false;
}

static size_t count_lines(struct invig_text text, const char *line)
{
    size_t length = strlen(line);
    size_t count = 0;

    for (size_t i = 0; i + length < text.length; i++) {
        count += (i == 0 || text.data[i - 1] == '\n') && text.data[i + length] == '\n' &&
                 memcmp(text.data + i, line, length) == 0;
    }
    return count;
}

/* Blocks with this label that begin and end on lines of their own. OpenSSL reads over a line in a
 * block that begins another one, where the base64 has come to its end before. */
static size_t count_blocks(struct invig_text file, const char *label)
{
    char line[64];

    (void)snprintf(line, sizeof line, "-----BEGIN %s-----", label);
    size_t begin_count = count_lines(file, line);
    (void)snprintf(line, sizeof line, "-----END %s-----", label);
    size_t end_count = count_lines(file, line);
    return begin_count < end_count ? begin_count : end_count;
}

/* The key alone, as OpenSSL writes it, is the same key. */
static void must_be_read_back(const struct invig_key *key)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *pem = NULL;
    const char *found;

    must(bio != NULL && PEM_write_bio_PUBKEY(bio, key->public_key) == 1, "cannot be written");
    long length = BIO_get_mem_data(bio, &pem);
    struct invig_key *again = invig_key_from_pem((struct invig_text){pem, (size_t)length}, &found);
    must(again != NULL && again->type == key->type, "cannot be read back");
    must(EVP_PKEY_eq(again->public_key, key->public_key) == 1, "another key when read back");
    invig_key_free(again);
    BIO_free(bio);
}

static void run_pem(struct invig_text file, const char *path)
{
    struct invig_key_list keys;
    char error[INVIG_POLICY_ERROR_BYTES] = "";
    enum invig_status status =
        invig_key_list_read(INVIG_SOURCE_PEM, path, (invig_algorithm_set)ALL, NULL, &keys, error);

    if (status != INVIG_OK) {
        must(status == INVIG_ERR_FORMAT, "status of a PEM file");
        must(keys.count == 0 && keys.first == NULL, "a key all the same");
        must_explain(error, "plugin_opt_jwt_public_key_file: ");
        return;
    }
    must(keys.count == 1 && keys.first != NULL && error[0] == '\0', "one key");
    must(keys.first->source == INVIG_SOURCE_PEM, "source");
    must(keys.first->type != INVIG_KEY_SECRET, "a public key as a secret");
    must(text_holds(file, "-----BEGIN PUBLIC KEY"), "a key out of nothing"); /* up to any NUL */
    must(count_blocks(file, "PUBLIC KEY") <= 1, "one key of two");
    must(count_blocks(file, "PRIVATE KEY") == 0, "a private key");
    must(count_blocks(file, "CERTIFICATE") == 0, "a certificate");
    must_fit(keys.first);
    must_not_verify(keys.first);
    must_be_read_back(keys.first);
    invig_key_list_free(&keys);
}

/* All bytes count but one newline at the end. */
static void run_secret(struct invig_text file, const char *path)
{
    struct invig_key_list keys;
    char error[INVIG_POLICY_ERROR_BYTES] = "";
    size_t length = file.length;
    enum invig_status status = invig_key_list_read(INVIG_SOURCE_SECRET, path,
                                                   (invig_algorithm_set)ALL, NULL, &keys, error);

    length -= length > 0 && file.data[length - 1] == '\n';
    if (length < INVIG_SECRET_BYTES_MIN || file.length > INVIG_KEY_FILE_BYTES_MAX) {
        must(status == INVIG_ERR_FORMAT && keys.count == 0, "a secret of another length");
        must_explain(error, "plugin_opt_jwt_secret_file: ");
        return;
    }
    must(status == INVIG_OK && keys.count == 1 && error[0] == '\0', "a secret is refused");
    must(keys.first->secret_bytes == length, "length of a secret");
    must(memcmp(keys.first->secret, file.data, length) == 0, "another secret");
    must_fit(keys.first);
    invig_key_list_free(&keys);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct invig_text file = {size == 0 ? "" : (const char *)data, size};
    char path[PATH_BYTES];
    int fd = file_get(path);

    file_write(fd, data, size);
    run_pem(file, path);
    run_secret(file, path);
    return 0;
}
