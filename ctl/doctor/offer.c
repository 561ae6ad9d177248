/* SPDX-License-Identifier: MIT */
/* Writes and reads offers. */
#include "config.h"

#include "ctl/doctor/offer.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/utsname.h>

#include "ctl/output.h"
#include "ctl/smc/sysfs.h"

#define OFFER_VERSION 1

static const struct {
	const char *key;
	const char *text;
} modes[OFFER_MODES] = {
	[OFFER_SMCR_V1] = {"smcr_v1", "SMC-R v1"},
	[OFFER_SMCR_V2] = {"smcr_v2", "SMC-R v2"},
	[OFFER_SMCD_V1] = {"smcd_v1", "SMC-D v1"},
	[OFFER_SMCD_V2] = {"smcd_v2", "SMC-D v2"},
	[OFFER_LOOPBACK] = {"loopback_ism", "SMC-D v2 within the machine"},
};

const char *offer_mode_text(enum offer_mode mode)
{
	return modes[mode].text;
}

void offer_begin(struct offer *out)
{
	struct utsname name;

	*out = (struct offer){.eids = 0};
	if (sysfs_read(AT_FDCWD, out->boot, sizeof(out->boot), "/proc/sys/kernel/random/boot_id") < 0)
		out->boot[0] = '\0';
	if (uname(&name) < 0)
		return;
	(void)snprintf(out->host, sizeof(out->host), "%.*s", (int)sizeof(out->host) - 1, name.nodename);
	(void)snprintf(out->release, sizeof(out->release), "%s", name.release);
}

int offer_print(const struct offer *offer, FILE *stream)
{
	struct out *out;
	int r = out_begin(stream, true, &out);

	if (r < 0)
		return r;
	out_uint(out, "smcctl_doctor", NULL, OFFER_VERSION);
	out_string(out, "boot", NULL, offer->boot);
	out_string(out, "host", NULL, offer->host);
	out_string(out, "release", NULL, offer->release);
	for (size_t i = 0; i < OFFER_MODES; i++)
		out_bool(out, modes[i].key, NULL, offer->can[i]);
	out_list(out, "eids", NULL);
	for (size_t i = 0; i < offer->eids; i++)
		out_string(out, NULL, NULL, offer->eid[i]);
	out_close(out);
	out_uint(out, "send", NULL, offer->send);
	out_uint(out, "receive", NULL, offer->receive);
	return out_end(out);
}

static void copy(const cJSON *object, const char *key, char *out, size_t size)
{
	const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, key));

	(void)snprintf(out, size, "%s", text ? text : "");
}

static uint64_t number(const cJSON *object, const char *key)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);

	return cJSON_IsNumber(item) && item->valuedouble >= 0 && item->valuedouble < 1e15 ? (uint64_t)item->valuedouble
											  : 0;
}

static void cleanup_json(cJSON **json)
{
	cJSON_Delete(*json);
}

int offer_parse(const char *text, struct offer *out)
{
	_cleanup_(cleanup_json) cJSON *json = cJSON_Parse(text);
	const cJSON *eid;

	*out = (struct offer){.eids = 0};
	if (number(json, "smcctl_doctor") != OFFER_VERSION)
		return -EBADMSG;
	copy(json, "boot", out->boot, sizeof(out->boot));
	copy(json, "host", out->host, sizeof(out->host));
	copy(json, "release", out->release, sizeof(out->release));
	for (size_t i = 0; i < OFFER_MODES; i++)
		out->can[i] = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(json, modes[i].key));
	cJSON_ArrayForEach(eid, cJSON_GetObjectItemCaseSensitive(json, "eids"))
	{
		if (!cJSON_IsString(eid) || out->eids == EID_ROOM + 1)
			return -EBADMSG;
		(void)snprintf(out->eid[out->eids++], EID_SIZE, "%.*s", (int)EID_SIZE - 1, eid->valuestring);
	}
	out->send = number(json, "send");
	out->receive = number(json, "receive");
	return 0;
}
