/* SPDX-License-Identifier: MIT */
/* All that a cluster needs, as a List. */
#ifndef SMCSHIM_CTL_POD_MANIFEST_H
#define SMCSHIM_CTL_POD_MANIFEST_H

#include "ctl/pod/tree.h"

struct manifest {
	const char *image;
	const char *webhook_image;
	const char *policy;      /* the text of policy.json */
	const char *host;        /* the text of a profile of smcctl host; NULL: the nodes are left as they are */
	const char *host_digest; /* of it: another one makes the pods anew, which then apply it */
	const char *eid;         /* NULL: none is set */
	const char *pnetid;      /* NULL: none is set */
	const char *interface;   /* that gets it */
	const char *ca_bundle;   /* base64 of PEM; NULL: cert-manager makes the certificates */
};

/* The objects with @NAME@ where a value of struct manifest belongs. */
extern const char manifest_text[];

/* Returns 0 or -ENOMEM. */
_must_check_ int manifest_make(struct tree *tree, const struct manifest *manifest, struct node **out);

#endif
