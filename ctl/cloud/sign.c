/* SPDX-License-Identifier: MIT */
/* ACS3-HMAC-SHA256 on libcrypto. */
#include "config.h"

#include "ctl/cloud/sign.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#define ALGORITHM "ACS3-HMAC-SHA256"

void signature_clear(struct signature *signature)
{
	free(signature->authorization);
	*signature = (struct signature){.authorization = NULL};
}

static void put_hex(const unsigned char *bytes, size_t size, char *out)
{
	for (size_t i = 0; i < size; i++)
		snprintf(out + 2 * i, 3, "%02x", bytes[i]);
}

static int hash(const char *text, char out[static SIGN_HEX])
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned size = 0;

	if (EVP_Digest(text, strlen(text), digest, &size, EVP_sha256(), NULL) != 1 || size != 32)
		return -EIO;
	put_hex(digest, size, out);
	return 0;
}

static int keyed_hash(const char *key, const char *text, char out[static SIGN_HEX])
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned size = 0;

	if (!HMAC(EVP_sha256(), key, (int)strlen(key), (const unsigned char *)text, strlen(text), digest, &size) ||
		size != 32)
		return -EIO;
	put_hex(digest, size, out);
	return 0;
}

/* Without the blanks at both ends. */
static void put_trimmed(FILE *stream, const char *text)
{
	size_t length;

	text += strspn(text, " \t");
	length = strlen(text);
	while (length && strchr(" \t", text[length - 1]))
		length--;
	fwrite(text, 1, length, stream);
}

struct header {
	const char *name;
	const char *value; /* NULL: not sent, so not signed */
};

static int canonical_request(
	const struct sign_request *request, const struct header *headers, const char *signed_names, char **out)
{
	size_t size;
	FILE *stream = open_memstream(out, &size);

	if (!stream)
		return -ENOMEM;
	fprintf(stream, "%s\n/\n%s\n", request->method, request->query);
	for (const struct header *header = headers; header->name; header++) {
		if (!header->value)
			continue;
		fprintf(stream, "%s:", header->name);
		put_trimmed(stream, header->value);
		fputc('\n', stream);
	}
	/* The last header has ended its line, so an empty one follows. */
	fprintf(stream, "\n%s\n", signed_names);
	for (const struct header *header = headers; header->name; header++) {
		if (strcmp(header->name, "x-acs-content-sha256") == 0)
			fputs(header->value, stream);
	}
	return fclose(stream) == 0 ? 0 : -ENOMEM;
}

static int join_names(const struct header *headers, char **out)
{
	size_t size;
	FILE *stream = open_memstream(out, &size);
	const char *between = "";

	if (!stream)
		return -ENOMEM;
	for (const struct header *header = headers; header->name; header++) {
		if (!header->value)
			continue;
		fprintf(stream, "%s%s", between, header->name);
		between = ";";
	}
	return fclose(stream) == 0 ? 0 : -ENOMEM;
}

int sign_request(const struct sign_request *request, struct signature *out)
{
	_cleanup_signature_ struct signature made = {.authorization = NULL};
	_cleanup_free_ char *canonical = NULL;
	_cleanup_free_ char *names = NULL;
	char to_sign[sizeof(ALGORITHM) + SIGN_HEX + 1];
	/* In the order of their names, as the signature wants them. */
	const struct header headers[] = {
		{"content-type", request->content_type},
		{"host", request->host},
		{"x-acs-action", request->action},
		{"x-acs-content-sha256", made.body_hash},
		{"x-acs-date", request->date},
		{"x-acs-security-token", request->token},
		{"x-acs-signature-nonce", request->nonce},
		{"x-acs-version", request->version},
		{NULL, NULL},
	};
	int r = hash(request->body, made.body_hash);

	if (r == 0)
		r = join_names(headers, &names);
	if (r == 0)
		r = canonical_request(request, headers, names, &canonical);
	if (r == 0)
		r = hash(canonical, made.request_hash);
	if (r < 0)
		return r;
	snprintf(to_sign, sizeof(to_sign), ALGORITHM "\n%s", made.request_hash);
	r = keyed_hash(request->secret, to_sign, made.signature);
	if (r < 0)
		return r;
	if (asprintf(&made.authorization, ALGORITHM " Credential=%s,SignedHeaders=%s,Signature=%s", request->key_id,
		    names, made.signature) < 0) {
		made.authorization = NULL;
		return -ENOMEM;
	}
	*out = made;
	made.authorization = NULL;
	return 0;
}

void sign_date(long long now, char out[static SIGN_DATE])
{
	time_t seconds = (time_t)now;
	struct tm tm;

	/* strftime() in the C locale: smcctl calls no setlocale(). */
	if (!gmtime_r(&seconds, &tm) || strftime(out, SIGN_DATE, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		out[0] = '\0';
}

int sign_nonce(char out[static SIGN_NONCE])
{
	unsigned char bytes[16];

	if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
		return -errno;
	put_hex(bytes, sizeof(bytes), out);
	return 0;
}
