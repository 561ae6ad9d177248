/* SPDX-License-Identifier: MIT */
/* Reads and changes the kernel's table of pnet identifiers. */
#include "config.h"

#include "ctl/smc/pnet.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* What the kernel puts in place of the name that an entry has not. */
#define NONE "n/a"

void pnet_table_clear(struct pnet_table *table)
{
	free(table->entries);
	*table = (struct pnet_table){.entries = NULL};
}

bool pnet_id_parse(const char *text, char out[static SMC_PNETID_SIZE])
{
	size_t length;

	text += strspn(text, " \t\n\v\f\r");
	length = strlen(text);
	while (length && isspace((unsigned char)text[length - 1]))
		length--;
	if (!length || length >= SMC_PNETID_SIZE)
		return false;
	for (size_t i = 0; i < length; i++) {
		if (!isalnum((unsigned char)text[i]))
			return false;
		out[i] = (char)toupper((unsigned char)text[i]);
	}
	out[length] = '\0';
	return true;
}

static void copy_name(const struct nlattr *attr, char *out, size_t size)
{
	genl_copy_text(attr, out, size);
	if (strcmp(out, NONE) == 0)
		out[0] = '\0';
}

int pnet_table_add(struct nlattr *const *attrs, void *arg)
{
	struct pnet_table *table = arg;
	struct pnet_entry entry = {.port = 0};
	struct pnet_entry *larger;

	genl_copy_text(attrs[SMC_PNETID_NAME], entry.id, sizeof(entry.id));
	copy_name(attrs[SMC_PNETID_ETHNAME], entry.interface, sizeof(entry.interface));
	copy_name(attrs[SMC_PNETID_IBNAME], entry.device, sizeof(entry.device));
	if (entry.device[0])
		entry.port = (unsigned int)genl_number(attrs[SMC_PNETID_IBPORT], 1);
	larger = realloc(table->entries, (table->count + 1) * sizeof(*larger));
	if (!larger)
		return -ENOMEM;
	table->entries = larger;
	table->entries[table->count++] = entry;
	return 0;
}

static void restart(void *arg)
{
	pnet_table_clear(arg);
}

int pnet_load(struct genl *genl, struct pnet_table *table)
{
	return genl_dump(genl, SMC_PNETID_GET, restart, pnet_table_add, table);
}

const struct pnet_entry *pnet_find(const struct pnet_table *table, const struct pnet_entry *like)
{
	for (size_t i = 0; i < table->count; i++) {
		const struct pnet_entry *entry = &table->entries[i];

		if (strcmp(entry->interface, like->interface) == 0 && strcmp(entry->device, like->device) == 0)
			return entry;
	}
	return NULL;
}

const char *pnet_interface_id(const struct pnet_table *table, const char *interface)
{
	for (size_t i = 0; i < table->count; i++)
		if (table->entries[i].interface[0] && strcmp(table->entries[i].interface, interface) == 0)
			return table->entries[i].id;
	return NULL;
}

const char *pnet_device_id(const struct pnet_table *table, const char *device)
{
	for (size_t i = 0; i < table->count; i++)
		if (table->entries[i].device[0] && strcmp(table->entries[i].device, device) == 0)
			return table->entries[i].id;
	return NULL;
}

bool pnet_on_interface(const struct pnet_table *table, const char *id)
{
	for (size_t i = 0; i < table->count; i++)
		if (table->entries[i].interface[0] && strcmp(table->entries[i].id, id) == 0)
			return true;
	return false;
}

static int put_names(struct nl_msg *message, const struct pnet_entry *entry)
{
	int r = nla_put_string(message, SMC_PNETID_NAME, entry->id);

	if (r == 0 && entry->interface[0])
		r = nla_put_string(message, SMC_PNETID_ETHNAME, entry->interface);
	if (r == 0 && entry->device[0])
		r = nla_put_string(message, SMC_PNETID_IBNAME, entry->device);
	if (r == 0 && entry->device[0])
		r = nla_put_u8(message, SMC_PNETID_IBPORT, (uint8_t)entry->port);
	return r < 0 ? -EMSGSIZE : 0;
}

static int request(struct genl *genl, uint8_t command, const struct pnet_entry *entry)
{
	struct nl_msg *message = genl_message(genl, command);

	if (!message)
		return -ENOMEM;
	if (entry && put_names(message, entry) < 0) {
		nlmsg_free(message);
		return -EMSGSIZE;
	}
	return genl_request(genl, message, NULL, NULL);
}

int pnet_add(struct genl *genl, const struct pnet_entry *entry)
{
	return request(genl, SMC_PNETID_ADD, entry);
}

int pnet_del(struct genl *genl, const char *id)
{
	struct pnet_entry entry = {.port = 0};

	memcpy(entry.id, id, strnlen(id, sizeof(entry.id) - 1));
	return request(genl, SMC_PNETID_DEL, &entry);
}

int pnet_flush(struct genl *genl)
{
	int r = request(genl, SMC_PNETID_FLUSH, NULL);

	/* Of an empty table; newer kernels call that success themselves. */
	return r == -ENOENT ? 0 : r;
}
