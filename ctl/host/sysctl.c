/* SPDX-License-Identifier: MIT */
/* Kernel parameters: names, values, files. */
#include "config.h"

#include "ctl/host/sysctl.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

#define BLANKS " \t\n"

bool sysctl_key(const char *text, char out[static PROFILE_KEY])
{
	const char *first = text + strcspn(text, "./");
	bool swap = *first == '/';
	size_t length = strlen(text);

	if (!*first || first == text || length >= PROFILE_KEY)
		return false;
	for (size_t i = 0; i <= length; i++) {
		unsigned char c = (unsigned char)text[i];

		if ((c && c <= ' ') || c >= 0x7f || strchr("*?[]=#;\\\"'", c ? c : 'x'))
			return false;
		out[i] = (char)(swap && c == '/' ? '.' : swap && c == '.' ? '/' : c);
	}
	/* No empty name, and so no ".." either: a dot of a name is a slash here. */
	return !strstr(out, "..") && out[length - 1] != '.' && !strstr(out, "//") && out[length - 1] != '/' &&
		!strstr(out, "./") && !strstr(out, "/.");
}

void sysctl_path(const char *key, char out[static PROFILE_KEY])
{
	size_t i;

	for (i = 0; i < PROFILE_KEY - 1 && key[i]; i++)
		out[i] = (char)(key[i] == '.' ? '/' : key[i] == '/' ? '.' : key[i]);
	out[i] = '\0';
}

bool sysctl_value(const char *text, char out[static PROFILE_VALUE])
{
	size_t used = 0;

	while (*(text += strspn(text, BLANKS))) {
		size_t length = strcspn(text, BLANKS);

		if (used + length + 2 > PROFILE_VALUE)
			return false;
		for (size_t i = 0; i < length; i++) {
			if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
				return false;
		}
		if (used)
			out[used++] = ' ';
		memcpy(out + used, text, length);
		used += length;
		text += length;
	}
	out[used] = '\0';
	return true;
}

unsigned sysctl_fields(const char *value)
{
	unsigned count = 0;

	while (*(value += strspn(value, BLANKS))) {
		value += strcspn(value, BLANKS);
		count++;
	}
	return count;
}

/* The next field of *rest; false at the end. */
static bool next_field(const char **rest, char out[static PROFILE_VALUE])
{
	const char *start = *rest + strspn(*rest, BLANKS);
	size_t length = strcspn(start, BLANKS);

	if (!length || length >= PROFILE_VALUE)
		return false;
	memcpy(out, start, length);
	out[length] = '\0';
	*rest = start + length;
	return true;
}

static bool to_number(const char *field, int64_t *out)
{
	bool negative = *field == '-';
	uint64_t value;

	if (text_to_uint(field + negative, 0, INT64_MAX, &value) < 0)
		return false;
	*out = negative ? -(int64_t)value : (int64_t)value;
	return true;
}

bool sysctl_number(const char *value, unsigned field, int64_t *out)
{
	char text[PROFILE_VALUE];

	for (unsigned i = 0; i <= field; i++) {
		if (!next_field(&value, text))
			return false;
	}
	return to_number(text, out);
}

bool sysctl_equal(const char *a, const char *b)
{
	char x[PROFILE_VALUE], y[PROFILE_VALUE];

	for (;;) {
		bool more = next_field(&a, x);
		int64_t m, n;

		if (more != next_field(&b, y))
			return false;
		if (!more)
			return true;
		if (to_number(x, &m) && to_number(y, &n) ? m != n : strcmp(x, y) != 0)
			return false;
	}
}

bool sysctl_larger(const char *a, const char *b, char out[static PROFILE_VALUE])
{
	unsigned count = sysctl_fields(a);
	size_t used = 0;

	if (!count || sysctl_fields(b) != count)
		return false;
	for (unsigned i = 0; i < count; i++) {
		int64_t m, n;
		int length;

		if (!sysctl_number(a, i, &m) || !sysctl_number(b, i, &n))
			return false;
		length = snprintf(out + used, PROFILE_VALUE - used, "%s%" PRId64, used ? " " : "", m > n ? m : n);
		if (length < 0 || (size_t)length >= PROFILE_VALUE - used)
			return false;
		used += (size_t)length;
	}
	return true;
}

static int open_key(const char *key, int flags)
{
	_cleanup_close_ int directory = open("/proc/sys", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char path[PROFILE_KEY];
	int fd;

	if (directory < 0)
		return -errno;
	sysctl_path(key, path);
	fd = openat(directory, path, flags | O_CLOEXEC | O_NOFOLLOW);
	return fd < 0 ? -errno : fd;
}

int sysctl_read(const char *key, char out[static PROFILE_VALUE])
{
	char text[PROFILE_VALUE * 2];
	_cleanup_close_ int fd = open_key(key, O_RDONLY);
	ssize_t n;

	if (fd < 0)
		return fd;
	n = read(fd, text, sizeof(text) - 1);
	if (n < 0)
		return -errno;
	text[n] = '\0';
	return sysctl_value(text, out) ? 0 : -EFBIG;
}

int sysctl_write(const char *key, const char *value)
{
	_cleanup_close_ int fd = open_key(key, O_WRONLY);
	size_t length = strlen(value);
	ssize_t n;

	if (fd < 0)
		return fd;
	n = write(fd, value, length);
	if (n < 0)
		return -errno;
	return (size_t)n == length ? 0 : -EIO;
}

int sysctl_writable(const char *key)
{
	_cleanup_close_ int fd = open_key(key, O_WRONLY);

	return fd < 0 ? fd : 0;
}
