/* SPDX-License-Identifier: MIT */
/* Reads the pnet table from the kernel. */
#include "config.h"

#include "ctl/smc/pnetids.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/smc/genl.h"

void pnetids_clear(struct pnetids *pnetids)
{
	free(pnetids->item);
	*pnetids = (struct pnetids){.item = NULL};
}

/* What a row does not have the kernel gives as "n/a", which is no name of an interface or device that it accepts. */
static void copy_name(const struct nlattr *attr, char *out, size_t size)
{
	genl_copy_text(attr, out, size);
	if (strcmp(out, "n/a") == 0)
		out[0] = '\0';
}

static int add(struct nlattr *const *attrs, void *arg)
{
	struct pnetids *pnetids = arg;
	struct pnetid *items = realloc(pnetids->item, (pnetids->count + 1) * sizeof(*items));
	struct pnetid *row;

	if (!items)
		return -ENOMEM;
	pnetids->item = items;
	row = &items[pnetids->count++];
	genl_copy_text(attrs[SMC_PNETID_NAME], row->name, sizeof(row->name));
	copy_name(attrs[SMC_PNETID_ETHNAME], row->netdev, sizeof(row->netdev));
	copy_name(attrs[SMC_PNETID_IBNAME], row->device, sizeof(row->device));
	return 0;
}

static void restart(void *arg)
{
	pnetids_clear(arg);
}

int pnetids_get(struct pnetids *out)
{
	_cleanup_genl_ struct genl *genl = NULL;
	int r = genl_open(GENL_PNET, &genl);

	return r < 0 ? r : genl_dump(genl, SMC_PNETID_GET, restart, add, out);
}

const char *pnetid_of_netdev(const struct pnetids *pnetids, const char *netdev)
{
	for (size_t i = 0; i < pnetids->count; i++)
		if (pnetids->item[i].netdev[0] && strcmp(pnetids->item[i].netdev, netdev) == 0)
			return pnetids->item[i].name;
	return NULL;
}

const char *pnetid_of_device(const struct pnetids *pnetids, const char *device)
{
	for (size_t i = 0; i < pnetids->count; i++)
		if (pnetids->item[i].device[0] && strcmp(pnetids->item[i].device, device) == 0)
			return pnetids->item[i].name;
	return NULL;
}

const char *pnetid_netdev(const struct pnetids *pnetids, const char *name)
{
	for (size_t i = 0; i < pnetids->count; i++)
		if (pnetids->item[i].netdev[0] && strcmp(pnetids->item[i].name, name) == 0)
			return pnetids->item[i].netdev;
	return NULL;
}
