/* SPDX-License-Identifier: MIT */
/* One call of the service, once: signed, sent, the reply taken apart. Retries are the client's. */
#ifndef SMCSHIM_CTL_CLOUD_RPC_H
#define SMCSHIM_CTL_CLOUD_RPC_H

#include <cJSON.h>

#include "ctl/cloud/clock.h"
#include "ctl/cloud/endpoint.h"
#include "ctl/cloud/errors.h"
#include "ctl/cloud/http.h"
#include "ctl/cloud/params.h"

/* How the outside is reached: what calls and the search for credentials share. */
struct cloud_net {
	struct ctl *ctl;
	struct http *http;
	struct cloud_clock clock;
	const char *diverted;                 /* for tests: whatever is asked, it is asked there; NULL */
	const char *metadata;                 /* "http://100.100.100.200" */
	const char *endpoint[CLOUD_PRODUCTS]; /* of each product; NULL: that of the region */
	unsigned connect_s;                   /* of one attempt, in seconds: for the connection */
	unsigned read_s;                      /* and for the answer */
	unsigned retries;                     /* at most so many of a call, within the time limit */
	bool has_metadata;                    /* it has answered */
	bool inside;                          /* the endpoints within the VPC */
	bool debug;                           /* say each call on ctl->err */
};

struct cloud_credential {
	char *id;
	char *secret;
	char *token;          /* NULL: none */
	char *region;         /* that its profile names; NULL: none */
	long long expires;    /* seconds since 1970; 0: never */
	const char *provider; /* static text: where it is from */
};

#define _cleanup_cloud_credential_ _cleanup_(cloud_credential_clear)

void cloud_credential_clear(struct cloud_credential *credential);

struct rpc_reply {
	enum cloud_class class;
	bool repeated;    /* an earlier attempt of the same call had no clear answer */
	cJSON *json;      /* NULL: no JSON object came */
	long status;      /* of HTTP; 0: no reply */
	long retry_after; /* see http.h */
	long long date;   /* the service's clock, seconds since 1970; 0: unknown */
	char code[96];    /* "" when there is none */
	char request_id[64];
	char text[512];     /* the message, or why there is no reply */
	const char *remedy; /* static text, better than what the code alone says; NULL: none */
};

#define _cleanup_rpc_reply_ _cleanup_(rpc_reply_clear)

void rpc_reply_clear(struct rpc_reply *reply);

struct rpc_call {
	enum cloud_product product;
	const char *action;
	const char *region;
	const struct cloud_params *params;
	const struct cloud_credential *credential; /* NULL: unsigned, the parameters as a form (AssumeRoleWithOIDC) */
	bool inside;                               /* at the endpoint within the VPC, whatever the others do */
	const char *endpoint;                      /* there instead; NULL: that of the region */
};

/*
 * Fills reply from what came over HTTP; what the service quotes of the key, secret and tokens of call (NULL: none) is
 * not in it. Also the entry for hostile replies in tests.
 */
void rpc_read(const struct http_reply *http, const struct rpc_call *call, struct rpc_reply *reply);

/*
 * Whose fault it is that the service calculates another signature: its message quotes what it has signed, and
 * request_hash is in that, or another one. Returns a remedy, static text.
 */
const char *rpc_judge_signature(const char *message, const char *request_hash);

/*
 * Sends the call and reads the reply; its class says what to make of it. Returns 0, -EINVAL (region or endpoint),
 * -ENOMEM or -EIO (libcrypto).
 */
_must_check_ int rpc_send(struct cloud_net *net, const struct rpc_call *call, struct rpc_reply *reply);

#endif
