/* SPDX-License-Identifier: Apache-2.0
 *
 * pem.c - the one public key of a PEM file (RFC 7468). Every block of the file is looked at: a
 * private key does not belong on the broker, and of two keys it would be unclear which one counts.
 */
#include "key.h"

#include <limits.h>
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <string.h>

struct pem_scan {
    size_t count; /* blocks */
    bool has_private;
    bool has_certificate;
    bool has_other; /* a label that is none of the others */
    bool is_malformed;
    EVP_PKEY *public_key; /* of the first block PUBLIC KEY; NULL where it does not decode */
};

static bool label_ends_in(const char *label, const char *end)
{
    size_t length = strlen(label);
    size_t end_length = strlen(end);

    return length >= end_length && strcmp(label + length - end_length, end) == 0;
}

static void scan_add(struct pem_scan *scan, const char *label, const unsigned char *der,
                     long der_length)
{
    const unsigned char *at = der;

    scan->count++;
    if (label_ends_in(label, "PRIVATE KEY")) {
        scan->has_private = true;
    } else if (label_ends_in(label, "CERTIFICATE")) {
        scan->has_certificate = true;
    } else if (strcmp(label, "PUBLIC KEY") != 0) {
        scan->has_other = true;
    } else if (scan->public_key == NULL) {
        scan->public_key = d2i_PUBKEY(NULL, &at, der_length);
        scan->is_malformed =
            scan->is_malformed || scan->public_key == NULL || at != der + der_length;
    }
}

/* Reads block after block, until there is none or one that cannot be read. */
static void scan_run(struct pem_scan *scan, BIO *bio)
{
    for (;;) {
        char *label = NULL;
        char *header = NULL;
        unsigned char *der = NULL;
        long der_length = 0;
        if (PEM_read_bio(bio, &label, &header, &der, &der_length) != 1) {
            break;
        }
        scan_add(scan, label, der, der_length);
        OPENSSL_free(label);
        OPENSSL_free(header);
        OPENSSL_clear_free(der, (size_t)der_length);
    }
    if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE) {
        scan->is_malformed = true;
    }
}

static const char *scan_fault(const struct pem_scan *scan)
{
    if (scan->has_private) {
        return "a private key";
    }
    if (scan->has_certificate) {
        return "a certificate";
    }
    if (scan->count > 1) {
        return "several PEM blocks";
    }
    if (scan->has_other) {
        return "a PEM block with another label";
    }
    if (scan->is_malformed) {
        return "a malformed PEM block";
    }
    return scan->count == 0 ? "no PEM block" : NULL;
}

struct invig_key *invig_key_from_pem(struct invig_text pem, const char **out_found)
{
    struct pem_scan scan = {0};
    BIO *bio = pem.length > INT_MAX ? NULL : BIO_new_mem_buf(pem.data, (int)pem.length);

    *out_found = NULL;
    if (bio == NULL) {
        ERR_clear_error();
        return NULL;
    }
    ERR_clear_error();
    scan_run(&scan, bio);
    BIO_free(bio);
    const char *found = scan_fault(&scan);
    *out_found = invig_key_fault(found);
    if (found != NULL) {
        EVP_PKEY_free(scan.public_key);
        return NULL;
    }
    return invig_key_from_public(scan.public_key, out_found);
}
