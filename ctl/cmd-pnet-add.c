/* SPDX-License-Identifier: MIT */
/* smcctl pnet ensure and add. */
#include "config.h"

#include <errno.h>
#include <net/if.h>
#include <string.h>

#include "ctl/commands.h"
#include "ctl/neighbours.h"
#include "ctl/pnet-view.h"
#include "ctl/smc/netns.h"
#include "ctl/smc/open.h"

enum { ADD_INTERFACE, ADD_DEVICE, ADD_PORT, ADD_NETNS, ADD_FORCE };

const struct ctl_option cmd_pnet_add_options[] = {
	[ADD_INTERFACE] = {"interface", 0, "IF", "the network interface to identify"},
	[ADD_DEVICE] = {"device", 0, "DEVICE", "the RDMA or ISM device to identify"},
	[ADD_PORT] = {"port", 0, "N", "the RDMA device's port, 1 or 2 [1]"},
	[ADD_NETNS] = CTL_OPTION_NETNS,
	[ADD_FORCE] = {"force", 0, NULL, "also for an interface or device that is not there"},
	{NULL, 0, NULL, NULL},
};

/* What the command line asks for; the device first, for the kernel refuses it where interfaces are welcome. */
struct request {
	bool ensure;
	bool force;
	struct pnet_entry wanted[2];
	bool there[2];
	size_t count;
};

static bool name_parse(const char *text, char *out, size_t size)
{
	size_t length = strlen(text);

	if (length >= size || strpbrk(text, "/ \t\n\v\f\r") || strcmp(text, ".") == 0 || strcmp(text, "..") == 0)
		return false;
	memcpy(out, text, length + 1);
	return true;
}

static enum ctl_exit parse(struct ctl *ctl, const struct ctl_args *args, struct request *request)
{
	const char *interface = args->option[ADD_INTERFACE];
	const char *device = args->option[ADD_DEVICE];
	struct pnet_entry *wanted = request->wanted;
	uint64_t port = 1;
	char id[SMC_PNETID_SIZE];

	if (!pnet_id_parse(args->operand[0], id))
		return ctl_error(ctl, CTL_USAGE, "pnet identifier", args->operand[0], "not 1 to 16 letters and digits");
	if (!interface && !device)
		return ctl_error(ctl, CTL_USAGE, "pnet identifier", id, "for what? --interface, --device or both");
	if (args->option[ADD_PORT] && !device)
		return ctl_error(ctl, CTL_USAGE, "option", "--port", "is about a --device, and there is none");
	if (args->option[ADD_PORT] && text_to_uint(args->option[ADD_PORT], 1, SMC_MAX_PORTS, &port) < 0)
		return ctl_error(ctl, CTL_USAGE, "port", args->option[ADD_PORT], "not 1 and not 2");
	if (device) {
		if (!name_parse(device, wanted->device, sizeof(wanted->device)))
			return ctl_error(ctl, CTL_USAGE, "device", device, "not a name of at most 63 characters");
		(wanted++)->port = (unsigned int)port;
	}
	if (interface && !name_parse(interface, (wanted++)->interface, IFNAMSIZ))
		return ctl_error(ctl, CTL_USAGE, "interface", interface, "not a name of at most 15 characters");
	request->count = (size_t)(wanted - request->wanted);
	for (size_t i = 0; i < request->count; i++)
		memcpy(request->wanted[i].id, id, sizeof(id));
	return CTL_OK;
}

/* The kernel takes other names for the same interface, and would then enter it twice. */
static enum ctl_exit find_interface(struct ctl *ctl, const struct request *request, struct pnet_entry *entry)
{
	unsigned int index = if_nametoindex(entry->interface);

	if (index && if_indextoname(index, entry->interface))
		return CTL_OK;
	if (request->force)
		return CTL_OK;
	return ctl_error(ctl, CTL_FAILED, "interface", entry->interface,
		"not in this network namespace (ip link shows what is); --force enters it all the same");
}

static enum ctl_exit find_device(
	struct ctl *ctl, const struct request *request, const struct pnet_view *view, struct pnet_entry *entry)
{
	const char *name = smc_device_name(&view->devices, entry->device);
	int r = pnet_view_device(view, name, entry->port);

	if (name != entry->device)
		memcpy(entry->device, name, strlen(name) + 1);
	if (r == 0 || request->force)
		return CTL_OK;
	if (r == -ENXIO)
		return ctl_error(ctl, CTL_FAILED, "device", entry->device, "has no port %u", entry->port);
	if (strcmp(entry->device, SMC_LOOPBACK_NAME) == 0)
		return ctl_error(ctl, CTL_FAILED, "device", entry->device,
			"this kernel was built without it (CONFIG_SMC_LO); --force enters it all the same");
	return ctl_error(ctl, CTL_FAILED, "device", entry->device,
		"neither an RDMA nor an ISM device of this machine (rdma link shows RDMA devices); --force enters it "
		"all the same");
}

static enum ctl_exit conflict(struct ctl *ctl, const struct pnet_entry *wanted, const char *id)
{
	return ctl_error(ctl, CTL_FAILED, wanted->interface[0] ? "interface" : "device",
		wanted->interface[0] ? wanted->interface : wanted->device,
		"has the pnet identifier %s; smcctl pnet del %s takes it from all that have it", id, id);
}

/* The table has the entry as it is wanted. */
static bool in_table(const struct pnet_view *view, const struct pnet_entry *wanted)
{
	const struct pnet_entry *entry = pnet_find(&view->table, wanted);

	return entry && strcmp(entry->id, wanted->id) == 0 && entry->port == wanted->port;
}

/* Is the entry there (*there), in the way of another one, or free? */
static enum ctl_exit compare(
	struct ctl *ctl, const struct pnet_view *view, const struct pnet_entry *wanted, bool *there)
{
	const struct pnet_entry *entry = pnet_find(&view->table, wanted);
	const char *id = wanted->device[0] ? smc_device_pnetid(&view->devices, wanted->device, wanted->port) : "";

	*there = strcmp(id, wanted->id) == 0 || in_table(view, wanted);
	if (*there)
		return CTL_OK;
	if (id[0])
		return conflict(ctl, wanted, id);
	if (!entry)
		return CTL_OK;
	if (entry->port == wanted->port)
		return conflict(ctl, wanted, entry->id);
	return ctl_error(ctl, CTL_FAILED, "device", wanted->device,
		"the kernel keeps one entry for a device, and port %u has %s; smcctl pnet del %s takes it from all "
		"that "
		"have it",
		entry->port, entry->id, entry->id);
}

static enum ctl_exit check(struct ctl *ctl, struct request *request, const struct pnet_view *view)
{
	for (size_t i = 0; i < request->count; i++) {
		struct pnet_entry *wanted = &request->wanted[i];
		enum ctl_exit code = wanted->interface[0] ? find_interface(ctl, request, wanted)
							  : find_device(ctl, request, view, wanted);

		if (code == CTL_OK)
			code = compare(ctl, view, wanted, &request->there[i]);
		if (code != CTL_OK)
			return code;
		if (request->there[i] && !request->ensure)
			return ctl_error(ctl, CTL_FAILED, wanted->interface[0] ? "interface" : "device",
				wanted->interface[0] ? wanted->interface : wanted->device,
				"has the pnet identifier %s already; pnet ensure takes that for success", wanted->id);
	}
	return CTL_OK;
}

/* The table and the devices said that nothing is in the way. */
static enum ctl_exit refused(
	struct ctl *ctl, const struct pnet_view *view, const struct pnet_entry *wanted, int error, bool partly)
{
	const char *what = wanted->interface[0] ? "interface" : "device";
	const char *object = wanted->interface[0] ? wanted->interface : wanted->device;
	enum ctl_exit code = partly ? CTL_PARTLY : CTL_FAILED;
	const char *done = partly ? "; the device was entered" : "";

	if (error == -EEXIST && wanted->device[0] && view->elsewhere)
		return ctl_error(ctl, code, what, object,
			"devices get pnet identifiers in the machine's first network namespace only, not in this one");
	if (error == -EEXIST)
		return ctl_error(ctl, code, what, object,
			"has another pnet identifier: from its hardware, or entered this moment%s", done);
	if (partly)
		return ctl_error(ctl, code, what, object, "%s%s", genl_text(view->genl, error), done);
	return smc_refused(ctl, what, object, view->genl, error);
}

static enum ctl_exit enter(struct ctl *ctl, struct request *request, struct pnet_view *view)
{
	char name[PNET_NAME_SIZE];
	bool partly = false;

	for (size_t i = 0; i < request->count; i++) {
		const struct pnet_entry *wanted = &request->wanted[i];
		int r = request->there[i] ? 0 : pnet_add(view->genl, wanted);

		/* Somebody else may have entered the very same since the table was loaded. */
		if (r == -EEXIST && request->ensure) {
			enum ctl_exit code = pnet_view_reload(ctl, view);

			if (code != CTL_OK)
				return partly ? CTL_PARTLY : code;
			request->there[i] = in_table(view, wanted);
			r = request->there[i] ? 0 : r;
		}
		if (r < 0)
			return refused(ctl, view, wanted, r, partly);
		partly = partly || !request->there[i];
		pnet_view_name(view, wanted, name);
		fprintf(ctl->out, "%s: ", wanted->id);
		text_put(ctl->out, name);
		fputs(request->there[i] ? " has it already\n" : " has it now\n", ctl->out);
	}
	return CTL_OK;
}

/*
 * smc_pnet_find_roce_by_pnetid() takes the identifier of what the interface stands on, and only if that has none its own;
 * smc_pnet_find_ism_by_pnetid(), and both of older kernels, look nowhere else.
 */
static void warn_of_base(struct ctl *ctl, const struct pnet_view *view, const struct pnet_entry *wanted)
{
	char base[IFNAMSIZ];
	const char *id;

	if (!neighbours_base(wanted->interface, base))
		return;
	id = pnet_interface_id(&view->table, base);
	if (id && strcmp(id, wanted->id) == 0)
		return;
	ctl_warn(ctl,
		"%s stands on %s, where SMC looks first and older kernels only, and that has %s; smcctl pnet ensure "
		"--interface %s %s gives it the same",
		wanted->interface, base, id ? id : "none", base, wanted->id);
}

/* Version 2 of SMC-D wants the identifier on an interface's hardware too, not in the table (smc_pnet_is_ndev_pnetid()). */
static void warn(struct ctl *ctl, const struct request *request, const struct pnet_view *view, bool elsewhere)
{
	const struct pnet_entry *last = &request->wanted[request->count - 1];

	/* Of another network namespace /sys tells nothing. */
	if (last->interface[0] && !elsewhere)
		warn_of_base(ctl, view, last);
	if (strcmp(request->wanted[0].device, SMC_LOOPBACK_NAME) == 0)
		ctl_warn(ctl,
			"with a pnet identifier the kernel leaves " SMC_LOOPBACK_NAME
			" unused, whatever the interfaces have; smcctl pnet del %s gives it back",
			request->wanted[0].id);
}

static enum ctl_exit run(struct ctl *ctl, const struct ctl_args *args, bool ensure)
{
	_cleanup_pnet_view_ struct pnet_view view = {.genl = NULL};
	struct request request = {.ensure = ensure, .force = args->option[ADD_FORCE] != NULL};
	enum ctl_exit code = parse(ctl, args, &request);

	if (code == CTL_OK)
		code = pnet_view_open(ctl, args->option[ADD_NETNS], &view);
	if (code == CTL_OK)
		code = check(ctl, &request, &view);
	if (code == CTL_OK)
		code = enter(ctl, &request, &view);
	if (code == CTL_OK)
		code = pnet_view_reload(ctl, &view);
	if (code == CTL_OK && pnet_view_print(&view, ctl->out, request.wanted[0].id) < 0)
		code = ctl_error(ctl, CTL_FAILED, "pnet identifier", request.wanted[0].id, "%s", strerror(ENOMEM));
	if (code == CTL_OK)
		warn(ctl, &request, &view, args->option[ADD_NETNS] != NULL);
	return code;
}

enum ctl_exit cmd_pnet_ensure(struct ctl *ctl, const struct ctl_args *args)
{
	return run(ctl, args, true);
}

enum ctl_exit cmd_pnet_add(struct ctl *ctl, const struct ctl_args *args)
{
	return run(ctl, args, false);
}
