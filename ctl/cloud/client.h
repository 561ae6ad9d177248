/* SPDX-License-Identifier: MIT */
/* The service as the rest sees it: actions by name, retried by the class of their error, failures as one line. */
#ifndef SMCSHIM_CTL_CLOUD_CLIENT_H
#define SMCSHIM_CTL_CLOUD_CLIENT_H

#include "ctl/cloud/credentials.h"

struct cloud {
	struct cloud_net net;
	char region[41];
	struct cloud_credential credential;
	bool in_trouble;     /* the last call had to be sent again, and that was said */
	bool refresh_fails;  /* that has been said */
	bool refreshed;      /* a token that was refused has been replaced once */
	uint64_t refresh_at; /* by clock_now(): not before then again */
};

#define _cleanup_cloud_ _cleanup_(cloud_close)

/*
 * Prepares calls to region (NULL: that of the environment, of the profile the key is from, or of the metadata service).
 * Finds credentials. Says what goes wrong. Returns an exit code; cloud is to be closed either way.
 */
enum ctl_exit cloud_open(struct cloud *cloud, struct ctl *ctl, const char *region, bool debug);
void cloud_close(struct cloud *cloud);

/* The time limit of all that follows. */
void cloud_limit(struct cloud *cloud, uint64_t seconds);

/* How often an action may be sent again, by what the vendor documents of it. */
enum cloud_kind {
	CLOUD_READ = 0,     /* asks only */
	CLOUD_TOKEN = 1,    /* carries a client token: repeating it is safe */
	CLOUD_MUTATION = 2, /* repeating it is not: after a lost reply the caller looks */
};

/*
 * Calls action with params. Throttling, and for the first two kinds transport errors and failures of the service, are
 * retried with the same parameters until the deadline, or as often as net.retries says. Returns 0 whenever there is an
 * answer: reply->class is then CLOUD_FINE, CLOUD_GONE, CLOUD_BUSY, or for a mutation CLOUD_AGAIN (nobody knows whether it
 * happened). All else is said, and is an exit code.
 */
enum ctl_exit cloud_call(struct cloud *cloud, enum cloud_product product, const char *action, enum cloud_kind kind,
	const struct cloud_params *params, struct rpc_reply *reply);

/* As above, but an answer of any class is 0 and is not said: for what can be done without. */
enum ctl_exit cloud_try(struct cloud *cloud, enum cloud_product product, const char *action, enum cloud_kind kind,
	const struct cloud_params *params, struct rpc_reply *reply);

/* As cloud_call(), but only CLOUD_FINE is no error: for reading. */
enum ctl_exit cloud_read(struct cloud *cloud, enum cloud_product product, const char *action,
	const struct cloud_params *params, struct rpc_reply *reply);

/* Says "smcctl: ACTION 'OBJECT': CODE: MESSAGE, request id ID; REMEDY". Returns the exit code of its class. */
enum ctl_exit cloud_error(struct cloud *cloud, const char *action, const char *object, const struct rpc_reply *reply);

/* Out of memory. */
enum ctl_exit cloud_no_memory(struct cloud *cloud);

/* Said when a wait ended early: the time is over, or a signal came. Returns CTL_PARTLY. */
enum ctl_exit cloud_waited_enough(struct cloud *cloud, const char *object, const char *for_what);

/* ---- reading replies ---- */

/* The array at path, names joined by '.' ("Instances.Instance"); NULL if there is none. */
const cJSON *cloud_list(const cJSON *object, const char *path);

/* The string at path; "" if there is none. */
const char *cloud_text(const cJSON *object, const char *path);

/* The whole number at path, also from a string; 0 if there is none. */
uint64_t cloud_number(const cJSON *object, const char *path);

#endif
