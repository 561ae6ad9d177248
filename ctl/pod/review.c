/* SPDX-License-Identifier: MIT */
/* AdmissionReview in, AdmissionReview out: what a webhook of Kubernetes is asked and answers. A pod is never refused. */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "ctl/pod/pod.h"

#define GROUP "admission.k8s.io/"

const char *pod_base64(struct tree *tree, const char *text)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t length = strlen(text);
	char *out = tree_alloc(tree, (length + 2) / 3 * 4 + 1);
	char *to = out;

	for (size_t i = 0; out && i < length; i += 3) {
		size_t left = length - i;
		unsigned long bits = (unsigned long)(unsigned char)text[i] << 16;

		bits |= left > 1 ? (unsigned long)(unsigned char)text[i + 1] << 8 : 0;
		bits |= left > 2 ? (unsigned long)(unsigned char)text[i + 2] : 0;
		*to++ = digits[bits >> 18 & 63];
		*to++ = digits[bits >> 12 & 63];
		*to++ = left > 1 ? digits[bits >> 6 & 63] : '=';
		*to++ = left > 2 ? digits[bits & 63] : '=';
	}
	return out;
}

/* The API server hands warnings on to whoever asked; it cuts them (256 characters) and wants no line breaks. */
static void add_warnings(struct tree *tree, struct node *response, const struct pod_report *report)
{
	struct node *warnings = tree_array(tree);

	if (report->result >= POD_REFUSED)
		node_append(warnings,
			tree_string(tree,
				tree_printf(tree, "smcctl: not accelerated: %s", report->why ? report->why : "")));
	for (const struct pod_note *note = report->notes; note; note = note->next)
		node_append(warnings, tree_string(tree, tree_printf(tree, "smcctl: %s", note->text)));
	if (warnings && warnings->first)
		tree_add(tree, response, "warnings", warnings);
}

/* Injects a copy, and says the difference. */
static int patch_pod(struct tree *tree, const struct pod_options *options, struct node *object, struct node *response)
{
	struct pod_report *report = NULL;
	struct node *copy = tree_copy(tree, object);
	struct node *patch;
	int r = copy ? pod_each(tree, options, copy, pod_inject, &report) : -ENOMEM;

	if (r < 0)
		return r;
	if (report && report->result < POD_REFUSED) {
		patch = pod_patch(tree, object, copy);
		if (patch && patch->first) {
			tree_add_string(tree, response, "patch", pod_base64(tree, tree_line(tree, patch)));
			tree_add_string(tree, response, "patchType", "JSONPatch");
		}
	}
	if (report && report->result != POD_SKIPPED)
		add_warnings(tree, response, report);
	return tree->error;
}

/* In the review the pod stands without apiVersion and kind in old servers: the request's word counts. */
static bool is_pod(const struct node *request, const struct node *object)
{
	const struct node *kind = node_get(request, "kind");
	const char *name = node_string(kind, "kind");
	const char *group = node_string(kind, "group");
	const char *own = node_string(object, "kind");
	const char *operation = node_string(request, "operation");

	if (!node_is(object, NODE_OBJECT) || (operation && strcmp(operation, "CREATE") != 0))
		return false;
	return own && strcmp(own, "Pod") == 0 && (!name || strcmp(name, "Pod") == 0) && (!group || !*group);
}

int pod_review(struct tree *tree, const struct pod_options *options, struct node *review, struct node **answer,
	const char **why)
{
	const char *version = node_string(review, "apiVersion");
	const char *kind = node_string(review, "kind");
	struct node *request = node_get(review, "request");
	const char *uid = node_string(request, "uid");
	struct node *response = tree_object(tree);
	struct node *out = tree_object(tree);

	*why = NULL;
	if (!kind || strcmp(kind, "AdmissionReview") != 0)
		*why = "is no AdmissionReview";
	else if (!version || (strcmp(version, GROUP "v1") != 0 && strcmp(version, GROUP "v1beta1") != 0))
		*why = "has an apiVersion other than " GROUP "v1 and v1beta1";
	else if (!uid)
		*why = "has no request.uid to answer to";
	if (*why)
		return -EBADMSG;
	tree_add(tree, response, "allowed", tree_other(tree, "true"));
	tree_add_string(tree, response, "uid", uid);
	if (is_pod(request, node_get(request, "object"))) {
		int r = patch_pod(tree, options, node_get(request, "object"), response);

		if (r < 0)
			return r;
	}
	tree_add_string(tree, out, "apiVersion", version);
	tree_add_string(tree, out, "kind", "AdmissionReview");
	tree_add(tree, out, "response", response);
	*answer = out;
	return tree->error;
}
