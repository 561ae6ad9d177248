/* SPDX-License-Identifier: MIT */
/* The signature of a request: ACS3-HMAC-SHA256, "V3 request structure & signature" of the vendor. */
#ifndef SMCSHIM_CTL_CLOUD_SIGN_H
#define SMCSHIM_CTL_CLOUD_SIGN_H

#include "ctl/util.h"

#define SIGN_HEX 65u   /* SHA-256 in hex and its NUL */
#define SIGN_DATE 21u  /* 2023-10-26T10:22:32Z and its NUL */
#define SIGN_NONCE 33u /* 16 bytes in hex and their NUL */

struct sign_request {
	const char *method;
	const char *host; /* as it is sent: with :PORT where that is not the scheme's own */
	const char *action;
	const char *version;
	const char *query;        /* canonical, see cloud_params_query() */
	const char *content_type; /* NULL: none is sent */
	const char *body;
	const char *date;
	const char *nonce;
	const char *key_id;
	const char *secret;
	const char *token; /* NULL: none */
};

struct signature {
	char body_hash[SIGN_HEX];
	char request_hash[SIGN_HEX]; /* that of the canonical request: what a server says it has signed */
	char signature[SIGN_HEX];
	char *authorization; /* the header's value */
};

#define _cleanup_signature_ _cleanup_(signature_clear)

void signature_clear(struct signature *signature);

/* Returns 0, -ENOMEM or -EIO (libcrypto refused); *out is touched only on success. */
_must_check_ int sign_request(const struct sign_request *request, struct signature *out);

/* The time in UTC as the header x-acs-date has it. */
void sign_date(long long now, char out[static SIGN_DATE]);

/* 16 bytes of getrandom(2) in hex. Returns 0 or -errno. */
_must_check_ int sign_nonce(char out[static SIGN_NONCE]);

#endif
