/* SPDX-License-Identifier: MIT */
/* smcctl pod manifest: the objects that prepare a cluster, for kubectl apply -f -. */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "ctl/apply.h"
#include "ctl/args.h"
#include "ctl/commands.h"
#include "ctl/host/profile.h"
#include "ctl/pod/manifest.h"
#include "ctl/pod/pod.h"

enum {
	MANIFEST_IMAGE,
	MANIFEST_WEBHOOK_IMAGE,
	MANIFEST_POLICY,
	MANIFEST_HOST,
	MANIFEST_EID,
	MANIFEST_PNET,
	MANIFEST_INTERFACE,
	MANIFEST_CA
};

#define DEFAULT_WEBHOOK_IMAGE "smcshim-webhook:" PACKAGE_VERSION

const struct ctl_option cmd_pod_manifest_options[] = {
	[MANIFEST_IMAGE] = {"image", 0, "IMAGE", "the image with smcctl and the library [" POD_DEFAULT_IMAGE "]"},
	[MANIFEST_WEBHOOK_IMAGE] = {"webhook-image", 0, "IMAGE",
		"the same with a TLS front [" DEFAULT_WEBHOOK_IMAGE "]"},
	[MANIFEST_POLICY] = {"policy", 0, "FILE", "the policy of the nodes [nothing is accelerated]"},
	[MANIFEST_HOST] = {"host-profile", 0, "FILE", "set the nodes up as smcctl host apply does [not]"},
	[MANIFEST_EID] = {"eid", 0, "EID", "give the nodes this user EID"},
	[MANIFEST_PNET] = {"pnet", 0, "PNETID", "give an interface of each node this pnet identifier"},
	[MANIFEST_INTERFACE] = {"interface", 0, "IF", "which interface that is"},
	[MANIFEST_CA] = {"ca-bundle", 0, "FILE",
		"the CA of the webhook's certificate in PEM [cert-manager makes both]"},
	{NULL, 0, NULL, NULL},
};

#define NO_POLICY "{\n  \"version\": 1,\n  \"rules\": [ { \"use\": \"tcp\", \"connect\": \"any\" } ]\n}\n"
/* The size of a ConfigMap (Kubernetes, MaxSecretSize). */
#define CONFIGMAP_MAX ((size_t)1 << 20)

/* The text of a small file, in the tree's memory. */
static enum ctl_exit read_text(struct ctl *ctl, struct tree *tree, const char *what, const char *path, const char **out)
{
	_cleanup_close_ int fd = open_read(path);
	_cleanup_free_ char *text = NULL;
	size_t size = 0;
	int r = fd < 0 ? fd : read_all(fd, CONFIGMAP_MAX, &text, &size);

	if (r < 0)
		return ctl_error(ctl, r == -EACCES ? CTL_NOT_PERMITTED : CTL_BAD_INPUT, what, path, "%s",
			r == -EFBIG ? "is larger than a ConfigMap may be (1 MiB)" : strerror(-r));
	if (strlen(text) != size)
		return ctl_error(ctl, CTL_BAD_INPUT, what, path, "is no text");
	*out = tree_printf(tree, "%s", text);
	return *out ? CTL_OK : ctl_error(ctl, CTL_FAILED, what, path, "%s", strerror(ENOMEM));
}

/* A policy with an error would go to every node, and stay without effect there. */
static enum ctl_exit read_policy(struct ctl *ctl, struct tree *tree, const char *path, const char **out)
{
	_cleanup_policy_ struct policy *policy = NULL;
	uint64_t digest;
	enum ctl_exit code = apply_load(ctl, path, &policy, &digest);

	return code == CTL_OK ? read_text(ctl, tree, "policy", path, out) : code;
}

/* Its digest stands beside it, in a memory of the tree's. */
static enum ctl_exit read_host(struct ctl *ctl, struct tree *tree, const char *path, struct manifest *manifest)
{
	_cleanup_profile_ struct profile *profile = NULL;
	_cleanup_policy_errors_ struct policy_errors errors = {.count = 0};
	enum ctl_exit code = read_text(ctl, tree, "profile", path, &manifest->host);
	int r;

	if (code != CTL_OK || !manifest->host)
		return code;
	r = profile_parse(path, manifest->host, strlen(manifest->host), &profile, &errors);
	if (r == -EINVAL) {
		apply_print_errors(ctl, "profile", path, &errors);
		return CTL_BAD_INPUT;
	}
	if (r < 0)
		return ctl_error(ctl, CTL_FAILED, "profile", path, "%s", strerror(-r));
	manifest->host_digest = tree_printf(tree, "%016" PRIx64, policy_digest(manifest->host, strlen(manifest->host)));
	return CTL_OK;
}

static enum ctl_exit read_ca(struct ctl *ctl, struct tree *tree, const char *path, const char **out)
{
	const char *text = NULL;
	enum ctl_exit code = read_text(ctl, tree, "CA bundle", path, &text);

	if (code != CTL_OK || !text)
		return code;
	if (!strstr(text, "-----BEGIN CERTIFICATE-----"))
		return ctl_error(ctl, CTL_BAD_INPUT, "CA bundle", path, "has no certificate in PEM");
	if (strstr(text, "PRIVATE KEY"))
		return ctl_error(
			ctl, CTL_BAD_INPUT, "CA bundle", path, "has a private key; give the certificate alone");
	*out = pod_base64(tree, text);
	return CTL_OK;
}

enum ctl_exit cmd_pod_manifest(struct ctl *ctl, const struct ctl_args *args)
{
	static const struct tree_style style = {
		.lines = true, .indent = "  ", .blank_after_colon = true, .blank_after_comma = true};
	_cleanup_tree_ struct tree tree = {.error = 0};
	const char *const *option = args->option;
	struct manifest manifest = {.image = option[MANIFEST_IMAGE] ? option[MANIFEST_IMAGE] : POD_DEFAULT_IMAGE,
		.webhook_image =
			option[MANIFEST_WEBHOOK_IMAGE] ? option[MANIFEST_WEBHOOK_IMAGE] : DEFAULT_WEBHOOK_IMAGE,
		.policy = NO_POLICY,
		.eid = option[MANIFEST_EID],
		.pnetid = option[MANIFEST_PNET],
		.interface = option[MANIFEST_INTERFACE]};
	struct node *list = NULL;
	enum ctl_exit code = CTL_OK;

	/* They stand in a line of stunnel's configuration, too. */
	if (strpbrk(manifest.image, " \t\n"))
		return ctl_error(ctl, CTL_USAGE, "image", manifest.image, "has a blank");
	if (!manifest.pnetid != !manifest.interface)
		return ctl_error(ctl, CTL_USAGE, "option", manifest.pnetid ? "--pnet" : "--interface",
			"--pnet and --interface belong together");
	if (option[MANIFEST_POLICY])
		code = read_policy(ctl, &tree, option[MANIFEST_POLICY], &manifest.policy);
	if (code == CTL_OK && option[MANIFEST_HOST])
		code = read_host(ctl, &tree, option[MANIFEST_HOST], &manifest);
	if (code == CTL_OK && option[MANIFEST_CA])
		code = read_ca(ctl, &tree, option[MANIFEST_CA], &manifest.ca_bundle);
	if (code != CTL_OK)
		return code;
	if (manifest_make(&tree, &manifest, &list) < 0 || tree.error)
		return ctl_error(ctl, CTL_FAILED, "manifest", NULL, "%s", strerror(ENOMEM));
	tree_print(ctl->out, list, &style);
	fputc('\n', ctl->out);
	return CTL_OK;
}
