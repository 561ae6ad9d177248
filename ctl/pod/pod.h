/* SPDX-License-Identifier: MIT */
/* Workloads of Kubernetes: found in objects, given the shim, freed of it, judged. */
#ifndef SMCSHIM_CTL_POD_POD_H
#define SMCSHIM_CTL_POD_POD_H

#include "ctl/pod/tree.h"

/* Annotations of a pod's template. The first three are people's, the others ours. */
#define POD_ANNOTATION "smc.smcctl.io/"
#define POD_WANTED POD_ANNOTATION "inject"         /* "true", "false" */
#define POD_CONTAINERS POD_ANNOTATION "containers" /* a list of names, with commas */
#define POD_EXCLUDE POD_ANNOTATION "exclude"
#define POD_STATUS POD_ANNOTATION "status"   /* what was done, as uninject wants it */
#define POD_VERSION POD_ANNOTATION "version" /* of the smcctl that did it */
/* Of others: Alibaba Cloud Service Mesh, and alibabacloud-erdma-controller (72e8f0c, mutating.go). */
#define POD_ASM "smc.asm.alibabacloud.com/enabled"
#define POD_ERDMA "network.alibabacloud.com/erdma-smcr"
#define POD_ERDMA_RESOURCE "aliyun/erdma"
#define POD_ERDMA_INIT "smcr-init"

/* Where things are in a container; the library's and the table's directory are mounts of ours. */
#define POD_LIBRARY_DIRECTORY "/opt/smcshim"
#define POD_LIBRARY POD_LIBRARY_DIRECTORY "/libsmcshim.so"
#define POD_TABLE_DIRECTORY "/run/smc"
#define POD_POLICY_DIRECTORY "/etc/smc"
#define POD_NODE_LIBRARY_DIRECTORY "/var/lib/smcshim" /* on a node, for the method hostpath */
#define POD_DEFAULT_POLICY "smcshim-policy"
#define POD_DEFAULT_IMAGE "smcshim:" PACKAGE_VERSION

#define POD_VOLUME_LIBRARY "smc-lib"
#define POD_VOLUME_TABLE "smc-run"
#define POD_VOLUME_POLICY "smc-policy"
#define POD_INIT "smc-init"
#define POD_WATCH "smc-watch"

enum pod_method { POD_BY_INIT, POD_BY_HOSTPATH, POD_BY_IMAGE_VOLUME };
enum pod_dialect { POD_SPEAKS_SMCSHIM, POD_SPEAKS_ASM, POD_SPEAKS_ERDMA };

struct pod_options {
	enum pod_method method;
	enum pod_dialect dialect;
	const char *containers; /* names with commas; NULL: all, or what the annotation says */
	const char *policy;     /* name of a ConfigMap */
	const char *image;
	bool strict;   /* what would be left out with a warning is refused */
	bool no_watch; /* the policy is read at the pod's start only */
	bool review;   /* asked by the API server: only pods that are annotated with "true" */
	bool clean;    /* without what the server owns */
};

enum pod_result {
	POD_PASSED, /* no workload: not looked at */
	POD_UNCHANGED,
	POD_INJECTED,
	POD_RESTORED,
	POD_SKIPPED,
	POD_REFUSED,  /* with strict: something would have been left out */
	POD_NOT_OURS, /* it has things of our names that are not ours */
	POD_BAD,      /* it has not the shape of a workload */
};

struct pod_note {
	const char *text;
	struct pod_note *next;
};

struct pod;

/* What became of one object, in words for people. Texts live in the tree. */
struct pod_report {
	const char *kind;
	const char *space; /* namespace; NULL: none given */
	const char *name;
	enum pod_result result;
	const char *why;         /* of a result other than injected and restored */
	struct node *containers; /* names */
	struct pod_note *notes;
	struct pod *pod; /* NULL: no workload, or none of the right shape */
	struct pod_report *next;
};

/* A workload that was found in an object; its shape has been checked. */
struct pod {
	struct tree *tree;
	const struct pod_options *options;
	const char *kind;
	struct node *object;   /* what has the kind */
	struct node *template; /* what has the pod's metadata and spec: the object itself for a Pod */
	struct node *spec;
	struct pod_report *report;
};

/* "injected" and so on; static text. */
const char *pod_result_name(enum pod_result result);

/* ---- finding: object.c ---- */

typedef void pod_function(struct pod *pod);

/*
 * Calls function for every workload in the object, which may be a List; what is none passes. Appends a report of each
 * object to *reports. Returns 0 or -ENOMEM.
 */
_must_check_ int pod_each(struct tree *tree, const struct pod_options *options, struct node *object,
	pod_function *function, struct pod_report **reports);

/* Prints "Deployment shop/web", in the tree's memory. */
const char *pod_name(struct tree *tree, const struct pod_report *report);

__attribute__((format(printf, 2, 3))) void pod_note(struct pod *pod, const char *format, ...);
__attribute__((format(printf, 3, 4))) void pod_end(struct pod *pod, enum pod_result result, const char *format, ...);

/* True if the shape is what is relied on later; else the report says what is not. */
bool pod_check(struct pod *pod);

/* The value of an annotation of the template, NULL: none. */
const char *pod_annotation(const struct pod *pod, const char *name);

/* True if name stands in a list with commas (blanks around names do not count); NULL is no list. */
bool pod_listed(const char *list, const char *name);

/* The value of LD_PRELOAD of a container: the last one counts. NULL: none. */
struct node *pod_preload(const struct node *container);

/* Whether the element of initContainers is a native sidecar. */
bool pod_is_sidecar(const struct node *container);

/* ---- changing ---- */

/* Gives the workload the shim, as if it had not been injected before. */
pod_function pod_inject;
/* Takes it away; exactly what was there before is there again, but for what others have changed since. */
pod_function pod_uninject;

/* Whether the options and the annotations choose the container; init: it is one of initContainers. */
bool pod_is_chosen(const struct pod *pod, const struct node *container, bool init);

/* Why a container that is chosen cannot be given the shim; NULL: it can. */
const char *pod_obstacle(const struct node *container);

/* Takes away without a report. True if it was injected. */
bool pod_restore(struct pod *pod);

/* Removes what the API server owns: status and part of metadata. */
void pod_clean(struct node *object);

/* ---- the parts that pods are given: parts.c ---- */

/* The volumes, as an array; the containers to begin with, likewise, maybe empty. */
struct node *pod_volumes(struct pod *pod);
struct node *pod_init_containers(struct pod *pod);
/* What every container of ours may do: nothing. */
struct node *pod_security(struct tree *tree, bool root_pod);
struct node *pod_resources(struct tree *tree);
struct node *pod_mount(struct tree *tree, const char *volume, const char *path, bool read_only);

/* ---- the record of an injection: record.c ---- */

struct pod_record {
	struct node *made;        /* places where nothing was: "volumes", "env:NAME" */
	struct node *null;        /* places where null was */
	struct node *was;         /* by container: what LD_PRELOAD's element of env was */
	struct node *containers;  /* names */
	struct node *annotations; /* of others, that were added */
	struct node *resources;   /* names of containers that got the resource, */
	struct node *requests;    /* and of those that had requested it themselves */
};

void pod_record_new(struct tree *tree, struct pod_record *record);

/* The member of parent, made when missing or null, and recorded under place then. */
struct node *pod_room(struct tree *tree, struct pod_record *record, struct node *parent, const char *key,
	enum node_type type, const char *place);

/* Writes the annotations of ours. */
void pod_record_write(struct pod *pod, struct pod_record *record);

/* Reads them back. Returns false if there are none or they are none of ours. */
bool pod_record_read(struct pod *pod, struct pod_record *record);

/* ---- judging: remarks.c ---- */

/* Notes what a person should know of a workload that is accelerated. */
void pod_remarks(struct pod *pod);

/* Why a container that has the shim may stay TCP all the same, by its image and its command; NULL: nothing known. */
const char *pod_container_remark(const struct node *container);

bool pod_is_windows(const struct pod *pod);
/* The name of a sandbox that has a network stack or kernel of its own; NULL: none. */
const char *pod_sandbox(const struct pod *pod);
/* Whether the container is a mesh's proxy; and the first such of a pod, or NULL. */
bool pod_is_proxy(const struct node *container);
const struct node *pod_proxy(const struct pod *pod);
/* By which label or annotation the pod asks for a proxy that is not there yet; NULL: it does not, or it is there. */
const char *pod_awaits_proxy(const struct pod *pod);

/* Whether ASM is asked to put the proxy's connections on SMC. */
bool pod_wants_asm(const struct pod *pod);
/* Whether a container has the limit without which the eRDMA controller does nothing; and whether that has the pod. */
bool pod_has_limit(const struct pod *pod);
bool pod_is_erdma(const struct pod *pod);

/* ---- the other commands ---- */

struct out;

/*
 * Says of each container of a workload, injected or not, what it would be: one row each in the open list of out.
 * Returns how many would be SMC.
 */
unsigned pod_explain(struct pod *pod, struct out *out);

/* The answer to an AdmissionReview. Returns 0, -EBADMSG with *why (static text), or -ENOMEM. */
_must_check_ int pod_review(struct tree *tree, const struct pod_options *options, struct node *review,
	struct node **answer, const char **why);

/* RFC 4648, section 4; in the tree's memory. */
const char *pod_base64(struct tree *tree, const char *text);

/* The JSON patch that makes b of a, as an array of operations (RFC 6902); empty when they are equal. */
struct node *pod_patch(struct tree *tree, const struct node *a, const struct node *b);

#endif
