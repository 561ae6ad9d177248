/* SPDX-License-Identifier: MIT */
/* Keeps and writes what doctor found out. */
#include "config.h"

#include "ctl/doctor/findings.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>

#include "ctl/output.h"

void findings_clear(struct findings *findings)
{
	for (size_t i = 0; i < findings->count; i++)
		free(findings->item[i].text);
	free(findings->item);
	*findings = (struct findings){.item = NULL};
}

void finding_add(struct findings *findings, enum finding_level level, const char *topic, const char *remedy,
	const char *format, ...)
{
	struct finding *larger = realloc(findings->item, (findings->count + 1) * sizeof(*larger));
	char *text;
	va_list ap;
	int r;

	if (!larger) {
		findings->failed = true;
		return;
	}
	findings->item = larger;
	va_start(ap, format);
	/* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): it is, above */
	r = vasprintf(&text, format, ap);
	va_end(ap);
	if (r < 0) {
		findings->failed = true;
		return;
	}
	findings->item[findings->count++] =
		(struct finding){.level = level, .topic = topic, .text = text, .remedy = remedy};
	findings->number[level]++;
}

bool findings_ready(const struct findings *findings)
{
	return findings->number[FINDING_PROBLEM] == 0;
}

static void put_verdict(struct out *out, const struct findings *findings)
{
	char text[120];
	size_t problems = findings->number[FINDING_PROBLEM];
	size_t warnings = findings->number[FINDING_WARNING];
	size_t unknown = findings->number[FINDING_UNKNOWN];
	int n = findings_ready(findings)
		? snprintf(text, sizeof(text), "ready for SMC")
		: snprintf(text, sizeof(text), "NOT ready for SMC: %zu problem%s", problems, problems == 1 ? "" : "s");

	if (warnings)
		n += snprintf(
			text + n, sizeof(text) - (size_t)n, ", %zu warning%s", warnings, warnings == 1 ? "" : "s");
	if (unknown)
		(void)snprintf(text + n, sizeof(text) - (size_t)n, ", %zu not looked at", unknown);
	out_bool(out, "ready", NULL, findings_ready(findings));
	out_uint(out, "problems", NULL, problems);
	out_uint(out, "warnings", NULL, warnings);
	out_uint(out, "unknown", NULL, unknown);
	out_note(out, "This host is %s.", text);
}

int findings_print(const struct findings *findings, FILE *stream, bool json)
{
	static const char *const levels[FINDING_LEVELS] = {"ok", "note", "unknown", "warning", "problem"};
	struct out *out;
	int r = findings->failed ? -ENOMEM : out_begin(stream, json, &out);

	if (r < 0)
		return r;
	out_list(out, "findings", NULL);
	for (size_t i = 0; i < findings->count; i++) {
		const struct finding *finding = &findings->item[i];

		out_object(out, NULL, NULL);
		out_string(out, "verdict", "VERDICT", levels[finding->level]);
		out_string(out, "topic", "TOPIC", finding->topic);
		if (out_is_json(out) || !finding->remedy) {
			out_string(out, "finding", "FINDING", finding->text);
			out_optional(out, "remedy", NULL, finding->remedy);
		} else {
			_cleanup_free_ char *line = NULL;

			if (asprintf(&line, "%s; %s", finding->text, finding->remedy) < 0)
				line = NULL;
			out_string(out, NULL, "FINDING", line ? line : finding->text);
		}
		out_close(out);
	}
	out_close(out);
	put_verdict(out, findings);
	return out_end(out);
}
