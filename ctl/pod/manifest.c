/* SPDX-License-Identifier: MIT */
/* Fills the objects of the manifest in, and leaves out what was not asked for. */
#include "config.h"

#include "ctl/pod/manifest.h"

#include <errno.h>
#include <string.h>

static struct node *find(const struct node *list, const char *kind)
{
	return node_find(node_get(list, "items"), "kind", kind);
}

static void drop(struct node *list, struct node *element)
{
	if (list && element)
		node_remove(list, element);
}

static void drop_named(struct node *list, const char *name)
{
	struct node *items = node_get(list, "items");

	for (struct node *n = items ? items->first : NULL, *next; n; n = next) {
		const char *text = node_string(node_get(n, "metadata"), "name");

		next = n->next;
		if (text && strcmp(text, name) == 0)
			node_remove(items, n);
	}
}

static void drop_kind(struct node *list, const char *kind)
{
	drop(node_get(list, "items"), find(list, kind));
}

/* The front: TLS ends in stunnel, which starts a review for each connection. */
static const char *stunnel_conf(struct tree *tree, const struct manifest *manifest)
{
	return tree_printf(tree,
		"foreground = yes\n"
		"syslog = no\n"
		"debug = warning\n"
		"pid =\n"
		"[review]\n"
		"accept = 8443\n"
		"cert = /tls/tls.crt\n"
		"key = /tls/tls.key\n"
		"sslVersionMin = TLSv1.2\n"
		"exec = /usr/bin/smcctl\n"
		"execArgs = smcctl pod review --http --image %s\n",
		manifest->image);
}

/* Replaces strings that are @NAME@ as a whole: there is nothing to quote. */
static void fill(struct tree *tree, struct node *node, const struct manifest *manifest, const char *stunnel)
{
	const struct {
		const char *name;
		const char *value;
	} values[] = {
		{"@STUNNEL@", stunnel},
		{"@IMAGE@", manifest->image},
		{"@WEBHOOK_IMAGE@", manifest->webhook_image},
		{"@POLICY@", manifest->policy},
		{"@HOST@", manifest->host},
		{"@HOST_DIGEST@", manifest->host_digest},
		{"@EID@", manifest->eid},
		{"@PNETID@", manifest->pnetid},
		{"@INTERFACE@", manifest->interface},
		{"@CA_BUNDLE@", manifest->ca_bundle},
	};

	for (struct node *n = node->first, *next; n; n = next) {
		next = n->next;
		fill(tree, n, manifest, stunnel);
		for (size_t i = 0; i < sizeof(values) / sizeof(values[0]) && node_text(n); i++) {
			if (strcmp(n->text, values[i].name) == 0 && values[i].value) {
				node_replace(node, n, tree_string(tree, values[i].value));
				break;
			}
		}
	}
}

static void leave_out_host(struct node *list, struct node *template)
{
	struct node *annotations = node_get(node_get(template, "metadata"), "annotations");
	struct node *spec = node_get(template, "spec");
	struct node *volumes = node_get(spec, "volumes");

	drop_named(list, "smcshim-host");
	drop(annotations, node_get(annotations, "smc.smcctl.io/host-profile"));
	drop(node_get(spec, "initContainers"), node_find(node_get(spec, "initContainers"), "name", "host"));
	drop(volumes, node_find(volumes, "name", "host"));
	drop(volumes, node_find(volumes, "name", "host-profile"));
}

static void leave_out(struct node *list, const struct manifest *manifest)
{
	struct node *template = node_get(node_get(find(list, "DaemonSet"), "spec"), "template");
	struct node *init = node_get(node_get(template, "spec"), "initContainers");
	struct node *configuration = find(list, "MutatingWebhookConfiguration");
	struct node *metadata = node_get(configuration, "metadata");
	struct node *hooks = node_get(configuration, "webhooks");
	struct node *client = node_get(hooks ? hooks->first : NULL, "clientConfig");

	if (!manifest->host)
		leave_out_host(list, template);
	if (!manifest->eid)
		drop(init, node_find(init, "name", "eid"));
	if (!manifest->pnetid)
		drop(init, node_find(init, "name", "pnet"));
	if (manifest->ca_bundle) {
		drop_kind(list, "Issuer");
		drop_kind(list, "Certificate");
		drop(metadata, node_get(metadata, "annotations"));
	} else {
		drop(client, node_get(client, "caBundle"));
	}
}

int manifest_make(struct tree *tree, const struct manifest *manifest, struct node **out)
{
	struct tree_style style;
	struct json_fault fault;
	struct node *list = NULL;
	size_t at = 0;
	int r = tree_parse(tree, manifest_text, strlen(manifest_text), &at, &list, &style, &fault);

	if (r < 0)
		return r;
	leave_out(list, manifest);
	fill(tree, list, manifest, stunnel_conf(tree, manifest));
	*out = list;
	return tree->error;
}
