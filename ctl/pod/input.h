/* SPDX-License-Identifier: MIT */
/* The manifests that a command is given, and giving them back with nothing changed but what was meant to be. */
#ifndef SMCSHIM_CTL_POD_INPUT_H
#define SMCSHIM_CTL_POD_INPUT_H

#include "ctl/ctl.h"
#include "ctl/pod/pod.h"

struct pod_source {
	char *name;
	char *text;
	size_t size;
};

/* One value of a source: several may follow each other. */
struct pod_document {
	const struct pod_source *source;
	size_t start; /* of the value in the text */
	size_t end;
	struct node *root;
	struct tree_style style;
};

struct pod_input {
	struct pod_source *source;
	size_t sources;
	struct pod_document *document;
	size_t documents;
};

void pod_input_clear(struct pod_input *input);
#define _cleanup_pod_input_ _cleanup_(pod_input_clear)

/*
 * Reads the operands: files, directories (their *.json), "-" for standard input; none: standard input. Says errors.
 * Returns CTL_OK with *input filled, for the caller to clear.
 */
_must_check_ enum ctl_exit pod_input_read(
	struct ctl *ctl, const struct ctl_args *args, struct tree *tree, struct pod_input *input);

/* The same of a text that was read elsewhere; takes it over. */
_must_check_ enum ctl_exit pod_input_text(
	struct ctl *ctl, struct tree *tree, struct pod_input *input, const char *name, char *text, size_t size);

/*
 * Calls function for every workload, and collects reports. What is put out for the documents goes to *out when that is
 * not NULL, for the caller to free: to the byte what came in but for what was changed. *changed says whether anything
 * was. Returns 0 or -ENOMEM.
 */
_must_check_ int pod_input_each(struct pod_input *input, struct tree *tree, const struct pod_options *options,
	pod_function *function, struct pod_report **reports, char **out, bool *changed);

/* What the options of inject and its like have in common; says what is wrong. */
struct pod_words {
	const char *containers, *policy, *image, *method, *dialect;
};
_must_check_ enum ctl_exit pod_options_of(struct ctl *ctl, const struct pod_words *words, struct pod_options *out);

/* Says what became of the objects, on ctl->err. Returns the exit code that follows from it. */
enum ctl_exit pod_say(
	struct ctl *ctl, struct tree *tree, const struct pod_options *options, const struct pod_report *reports);

/* The same as JSON, for programs. */
enum ctl_exit pod_say_json(struct ctl *ctl, const struct pod_report *reports);

#endif
