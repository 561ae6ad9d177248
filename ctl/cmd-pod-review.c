/* SPDX-License-Identifier: MIT */
/* smcctl pod review: AdmissionReview in, AdmissionReview out; with --http as the program behind a TLS front. */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl/commands.h"
#include "ctl/pod/input.h"
#include "ctl/pod/webhook.h"

enum {
	REVIEW_POLICY,
	REVIEW_IMAGE,
	REVIEW_METHOD,
	REVIEW_DIALECT,
	REVIEW_NO_WATCH,
	REVIEW_HTTP,
};

const struct ctl_option cmd_pod_review_options[] = {
	[REVIEW_POLICY] = {"policy", 0, "CONFIGMAP", "the ConfigMap with policy.json [" POD_DEFAULT_POLICY "]"},
	[REVIEW_IMAGE] = {"image", 0, "IMAGE", "the image with smcctl and the library [" POD_DEFAULT_IMAGE "]"},
	[REVIEW_METHOD] = {"method", 0, "METHOD",
		"where the library comes from: init, hostpath or image-volume [init]"},
	[REVIEW_DIALECT] = {"dialect", 0, "DIALECT", "annotate for somebody else's: asm or erdma [smcshim]"},
	[REVIEW_NO_WATCH] = {"no-watch", 0, NULL, "read the policy at the pod's start only, without a sidecar"},
	[REVIEW_HTTP] = {"http", 0, NULL, "one request of HTTP on standard input, its answer on standard output"},
	{NULL, 0, NULL, NULL},
};

/* A webhook has at most 30 seconds (admissionregistration.k8s.io, timeoutSeconds). */
#define HTTP_SECONDS 30u

/* The answer as text, for the caller to free. What is wrong with the review is said. */
static enum ctl_exit answer(
	struct ctl *ctl, struct tree *tree, const struct pod_options *options, struct pod_input *input, char **out)
{
	static const struct tree_style line = {.lines = false};
	struct node *node = NULL;
	const char *why = NULL;
	size_t size;
	FILE *stream;
	int r = -ENOMEM;

	if (input->documents != 1)
		return ctl_error(ctl, CTL_BAD_INPUT, "review", NULL, "there must be exactly one");
	r = pod_review(tree, options, input->document[0].root, &node, &why);
	if (r == -EBADMSG)
		return ctl_error(ctl, CTL_BAD_INPUT, "review", input->source[0].name, "%s", why);
	stream = r == 0 ? open_memstream(out, &size) : NULL;
	if (!stream)
		return ctl_error(ctl, CTL_FAILED, "review", NULL, "%s", strerror(ENOMEM));
	tree_print(stream, node, &line);
	fputc('\n', stream);
	return fclose(stream) == 0 ? CTL_OK : ctl_error(ctl, CTL_FAILED, "review", NULL, "%s", strerror(ENOMEM));
}

static void respond(struct ctl *ctl, int status, const char *type, const char *body)
{
	fprintf(ctl->out, "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n%s",
		status, webhook_reason(status), type, strlen(body), body);
}

/* A NUL among the bytes is no JSON; the reader sees the text as long as it is. */
static enum ctl_exit review_body(
	struct ctl *ctl, const struct pod_options *options, char *body, size_t size, char **out)
{
	_cleanup_tree_ struct tree tree = {.error = 0};
	_cleanup_pod_input_ struct pod_input input = {.sources = 0};
	enum ctl_exit code = pod_input_text(ctl, &tree, &input, "request", body, size);

	return code == CTL_OK ? answer(ctl, &tree, options, &input, out) : code;
}

/* The API server takes whatever is not 200 for a failure, and goes by the webhook's failurePolicy. */
static enum ctl_exit serve(struct ctl *ctl, const struct pod_options *options)
{
	_cleanup_free_ char *body = NULL;
	_cleanup_free_ char *text = NULL;
	struct http_head request;
	enum ctl_exit code = CTL_OK;
	int r;

	signal(SIGPIPE, SIG_IGN);
	r = webhook_read(STDIN_FILENO, STDOUT_FILENO, HTTP_SECONDS, &request, &body);
	if (r == -EPIPE)
		return CTL_OK; /* a probe of the port */
	if (r < 0)
		return ctl_error(ctl, CTL_FAILED, "request", NULL, "%s", strerror(-r));
	if (r == 0 && request.method == HTTP_POST)
		code = review_body(ctl, options, take(body), (size_t)request.length, &text);
	if (r == 0 && code != CTL_OK)
		r = code == CTL_BAD_INPUT ? 400 : 500;
	if (r == 0 && text)
		respond(ctl, 200, "application/json", text);
	else if (r == 0)
		respond(ctl, 200, "text/plain", "smcctl pod review\n");
	else
		respond(ctl, r, "text/plain", webhook_reason(r));
	return code;
}

enum ctl_exit cmd_pod_review(struct ctl *ctl, const struct ctl_args *args)
{
	_cleanup_tree_ struct tree tree = {.error = 0};
	_cleanup_pod_input_ struct pod_input input = {.sources = 0};
	_cleanup_free_ char *text = NULL;
	const struct pod_words words = {.policy = args->option[REVIEW_POLICY],
		.image = args->option[REVIEW_IMAGE],
		.method = args->option[REVIEW_METHOD],
		.dialect = args->option[REVIEW_DIALECT]};
	struct pod_options options = {.review = true, .no_watch = args->option[REVIEW_NO_WATCH] != NULL};
	enum ctl_exit code = pod_options_of(ctl, &words, &options);

	if (code != CTL_OK)
		return code;
	if (args->option[REVIEW_HTTP])
		return args->operands
			? ctl_error(ctl, CTL_USAGE, "argument", args->operand[0], "with --http the request is read")
			: serve(ctl, &options);
	code = pod_input_read(ctl, args, &tree, &input);
	if (code == CTL_OK)
		code = answer(ctl, &tree, &options, &input, &text);
	if (code == CTL_OK)
		fputs(text, ctl->out);
	return code;
}
