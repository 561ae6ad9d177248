/* SPDX-License-Identifier: MIT */
/* smcctl pnet list, del, flush. */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "ctl/commands.h"
#include "ctl/output.h"
#include "ctl/pnet-view.h"
#include "ctl/smc/netns.h"
#include "ctl/smc/open.h"

enum { LIST_NETNS, LIST_JSON };

const struct ctl_option cmd_pnet_list_options[] = {
	[LIST_NETNS] = CTL_OPTION_NETNS, [LIST_JSON] = CTL_OPTION_JSON, {NULL, 0, NULL, NULL}};

static void put_entry(struct out *out, const struct pnet_view *view, const struct pnet_entry *entry)
{
	out_object(out, NULL, NULL);
	out_string(out, "id", "PNETID", entry->id);
	out_optional(out, "interface", "INTERFACE", entry->interface);
	out_optional(out, "device", "DEVICE", entry->device);
	if (entry->port)
		out_uint(out, "port", "PORT", entry->port);
	else
		out_null(out, "port", "PORT");
	out_bool(out, "present", "PRESENT", pnet_view_present(view, entry));
	if (!pnet_view_shared(view, entry->id) && pnet_view_unsure(view))
		out_null(out, "shared", "SHARED");
	else
		out_bool(out, "shared", "SHARED", pnet_view_shared(view, entry->id));
	out_close(out);
}

enum ctl_exit cmd_pnet_list(struct ctl *ctl, const struct ctl_args *args)
{
	_cleanup_pnet_view_ struct pnet_view view = {.genl = NULL};
	enum ctl_exit code = pnet_view_open(ctl, args->option[LIST_NETNS], &view);
	struct out *out;

	if (code != CTL_OK)
		return code;
	if (out_begin(ctl->out, args->option[LIST_JSON], &out) < 0)
		return ctl_error(ctl, CTL_FAILED, "pnet table", NULL, "%s", strerror(ENOMEM));
	if (!view.table.count)
		out_note(out, "no interface and no device has a pnet identifier");
	out_list(out, "entries", NULL);
	for (size_t i = 0; i < view.table.count; i++)
		put_entry(out, &view, &view.table.entries[i]);
	out_close(out);
	if (out_end(out) < 0)
		return ctl_error(ctl, CTL_FAILED, "pnet table", NULL, "%s", strerror(ENOMEM));
	return CTL_OK;
}

enum { CHANGE_NETNS };

const struct ctl_option cmd_pnet_change_options[] = {[CHANGE_NETNS] = CTL_OPTION_NETNS, {NULL, 0, NULL, NULL}};

enum ctl_exit cmd_pnet_del(struct ctl *ctl, const struct ctl_args *args)
{
	_cleanup_pnet_view_ struct pnet_view view = {.genl = NULL};
	char id[SMC_PNETID_SIZE];
	char name[PNET_NAME_SIZE];
	enum ctl_exit code;
	int r;

	if (!pnet_id_parse(args->operand[0], id))
		return ctl_error(ctl, CTL_USAGE, "pnet identifier", args->operand[0], "not 1 to 16 letters and digits");
	code = pnet_view_open(ctl, args->option[CHANGE_NETNS], &view);
	if (code != CTL_OK)
		return code;
	r = pnet_del(view.genl, id);
	if (r == -ENOENT)
		return ctl_error(ctl, CTL_FAILED, "pnet identifier", id,
			"nothing has it in this network namespace; smcctl pnet list shows what there is");
	if (r < 0)
		return smc_refused(ctl, "pnet identifier", id, view.genl, r);
	fprintf(ctl->out, "%s: removed\n", id);
	for (size_t i = 0; i < view.table.count; i++) {
		if (strcmp(view.table.entries[i].id, id) != 0)
			continue;
		pnet_view_name(&view, &view.table.entries[i], name);
		text_put(ctl->out, name);
		fputs(" has no pnet identifier any more\n", ctl->out);
	}
	return CTL_OK;
}

enum ctl_exit cmd_pnet_flush(struct ctl *ctl, const struct ctl_args *args)
{
	_cleanup_pnet_view_ struct pnet_view view = {.genl = NULL};
	enum ctl_exit code = pnet_view_open(ctl, args->option[CHANGE_NETNS], &view);
	int r;

	if (code != CTL_OK)
		return code;
	r = pnet_flush(view.genl);
	if (r < 0)
		return smc_refused(ctl, "pnet table", NULL, view.genl, r);
	if (view.table.count)
		fprintf(ctl->out, "entries removed: %zu\n", view.table.count);
	else
		fputs("the table was empty\n", ctl->out);
	return CTL_OK;
}
