/* SPDX-License-Identifier: MIT */
/* The volumes and containers that a pod is given; members are in the order of their names, as kubectl prints them. */
#include "config.h"

#include <string.h>

#include "ctl/pod/pod.h"

/* Small, and the same for requests and limits: a Guaranteed pod stays Guaranteed. */
struct node *pod_resources(struct tree *tree)
{
	struct node *resources = tree_object(tree);

	for (int i = 0; i < 2; i++) {
		struct node *amounts = tree_object(tree);

		tree_add_string(tree, amounts, "cpu", "50m");
		tree_add_string(tree, amounts, "memory", "64Mi");
		tree_add(tree, resources, i ? "requests" : "limits", amounts);
	}
	return resources;
}

/*
 * What the Pod Security Standard "restricted" asks for. The image's user is no root; only where the pod says that all
 * are, ours must say its own. (Elsewhere not: OpenShift gives users out of a range.)
 */
struct node *pod_security(struct tree *tree, bool root_pod)
{
	struct node *security = tree_object(tree);
	struct node *capabilities = tree_object(tree);
	struct node *drop = tree_array(tree);
	struct node *seccomp = tree_object(tree);

	node_append(drop, tree_string(tree, "ALL"));
	tree_add(tree, capabilities, "drop", drop);
	tree_add_string(tree, seccomp, "type", "RuntimeDefault");
	tree_add(tree, security, "allowPrivilegeEscalation", tree_other(tree, "false"));
	tree_add(tree, security, "capabilities", capabilities);
	tree_add(tree, security, "readOnlyRootFilesystem", tree_other(tree, "true"));
	tree_add(tree, security, "runAsNonRoot", tree_other(tree, "true"));
	if (root_pod)
		tree_add(tree, security, "runAsUser", tree_other(tree, "65532"));
	tree_add(tree, security, "seccompProfile", seccomp);
	return security;
}

struct node *pod_mount(struct tree *tree, const char *volume, const char *path, bool read_only)
{
	struct node *mount = tree_object(tree);

	tree_add_string(tree, mount, "mountPath", path);
	tree_add_string(tree, mount, "name", volume);
	if (read_only)
		tree_add(tree, mount, "readOnly", tree_other(tree, "true"));
	return mount;
}

/* ---- volumes ---- */

static void add_volume(struct tree *tree, struct node *volumes, const char *name, const char *type, struct node *source)
{
	struct node *volume = tree_object(tree);

	tree_add(tree, volume, type, source);
	tree_add_string(tree, volume, "name", name);
	node_append(volumes, volume);
}

static struct node *empty_dir(struct tree *tree, bool memory)
{
	struct node *source = tree_object(tree);

	if (memory)
		tree_add_string(tree, source, "medium", "Memory");
	tree_add_string(tree, source, "sizeLimit", "8Mi");
	return source;
}

/* Not Directory: on a node that was not prepared the pod starts all the same, on TCP. */
static struct node *host_path(struct tree *tree, const char *path)
{
	struct node *source = tree_object(tree);

	tree_add_string(tree, source, "path", path);
	tree_add_string(tree, source, "type", "DirectoryOrCreate");
	return source;
}

struct node *pod_volumes(struct pod *pod)
{
	struct tree *tree = pod->tree;
	struct node *volumes = tree_array(tree);
	struct node *source = tree_object(tree);

	if (pod->options->method == POD_BY_HOSTPATH) {
		add_volume(tree, volumes, POD_VOLUME_LIBRARY, "hostPath", host_path(tree, POD_NODE_LIBRARY_DIRECTORY));
		add_volume(tree, volumes, POD_VOLUME_TABLE, "hostPath", host_path(tree, POD_TABLE_DIRECTORY));
		return volumes;
	}
	if (pod->options->method == POD_BY_IMAGE_VOLUME) {
		struct node *image = tree_object(tree);

		tree_add_string(tree, image, "pullPolicy", "IfNotPresent");
		tree_add_string(tree, image, "reference", pod->options->image);
		add_volume(tree, volumes, POD_VOLUME_LIBRARY, "image", image);
	} else {
		add_volume(tree, volumes, POD_VOLUME_LIBRARY, "emptyDir", empty_dir(tree, false));
	}
	/* In memory: the table is mapped by every process and belongs on no disk. */
	add_volume(tree, volumes, POD_VOLUME_TABLE, "emptyDir", empty_dir(tree, true));
	tree_add_string(tree, source, "name", pod->options->policy);
	tree_add(tree, source, "optional", tree_other(tree, "true"));
	add_volume(tree, volumes, POD_VOLUME_POLICY, "configMap", source);
	return volumes;
}

/* ---- containers ---- */

static struct node *words(struct tree *tree, const char *const word[])
{
	struct node *list = tree_array(tree);

	for (size_t i = 0; word[i]; i++)
		node_append(list, tree_string(tree, word[i]));
	return list;
}

static struct node *container(struct pod *pod, const char *name, const char *const command[], struct node *mounts)
{
	struct tree *tree = pod->tree;
	const struct node *user = node_get(node_get(pod->spec, "securityContext"), "runAsUser");
	bool root = node_is(user, NODE_OTHER) && strcmp(user->raw, "0") == 0;
	struct node *made = tree_object(tree);

	tree_add(tree, made, "command", words(tree, command));
	tree_add_string(tree, made, "image", pod->options->image);
	tree_add_string(tree, made, "imagePullPolicy", "IfNotPresent");
	tree_add_string(tree, made, "name", name);
	tree_add(tree, made, "resources", pod_resources(tree));
	tree_add(tree, made, "securityContext", pod_security(tree, root));
	tree_add(tree, made, "volumeMounts", mounts);
	return made;
}

/* The directory is mounted, not the file: a file by subPath never changes (kubernetes#50345). */
static struct node *policy_mounts(struct tree *tree)
{
	struct node *mounts = tree_array(tree);

	node_append(mounts, pod_mount(tree, POD_VOLUME_POLICY, POD_POLICY_DIRECTORY, true));
	node_append(mounts, pod_mount(tree, POD_VOLUME_TABLE, POD_TABLE_DIRECTORY, false));
	return mounts;
}

struct node *pod_init_containers(struct pod *pod)
{
	static const char *const place[] = {
		"/usr/bin/smcctl", "pod", "place", "--lenient", POD_LIBRARY_DIRECTORY, NULL};
	static const char *const only_policy[] = {"/usr/bin/smcctl", "pod", "place", "--lenient", NULL};
	static const char *const watch[] = {"/usr/bin/smcctl", "policy", "watch", NULL};
	bool copies = pod->options->method == POD_BY_INIT;
	struct tree *tree = pod->tree;
	struct node *all = tree_array(tree);
	struct node *mounts;
	struct node *watcher;

	if (pod->options->method == POD_BY_HOSTPATH)
		return all;
	mounts = policy_mounts(tree);
	if (copies)
		node_append(mounts, pod_mount(tree, POD_VOLUME_LIBRARY, POD_LIBRARY_DIRECTORY, false));
	node_append(all, container(pod, POD_INIT, copies ? place : only_policy, mounts));
	if (pod->options->no_watch)
		return all;
	watcher = container(pod, POD_WATCH, watch, policy_mounts(tree));
	tree_add_string(tree, watcher, "restartPolicy", "Always");
	node_append(all, watcher);
	return all;
}
