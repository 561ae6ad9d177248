/* SPDX-License-Identifier: MIT */
/* What an error code of the service means for us: try again, look again, or stop; and what to do about it. */
#ifndef SMCSHIM_CTL_CLOUD_ERRORS_H
#define SMCSHIM_CTL_CLOUD_ERRORS_H

#include "ctl/ctl.h"

enum cloud_class {
	CLOUD_FINE = 0,      /* also the successful dry run, which comes as an error */
	CLOUD_THROTTLED = 1, /* refused before anything happened */
	CLOUD_AGAIN = 2,     /* the service failed; what it did is unknown */
	CLOUD_BUSY = 3,      /* the object is not in the right state (yet): look at it, then try again */
	CLOUD_IN_FLIGHT = 4, /* the same client token is being worked on */
	CLOUD_GONE = 5,      /* there is no such object */
	CLOUD_MISMATCH = 6,  /* a client token was used with other parameters */
	CLOUD_DENIED = 7,    /* key, signature, rights */
	CLOUD_EXPIRED = 8,   /* the security token: a fresh one may do */
	CLOUD_STOP = 9,      /* anything else: no retry helps */
};

/* By the code of the reply (may be empty) and the HTTP status. */
enum cloud_class errors_class(long status, const char *code);

/* What the user can do about it; NULL: nothing that we know. Static text. */
const char *errors_remedy(const char *code);

/* The exit code that a final error of the class has. */
enum ctl_exit errors_exit(enum cloud_class class, const char *code);

#endif
