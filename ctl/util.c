/* SPDX-License-Identifier: MIT */
/* Small helpers of smcctl. */
#include "config.h"

#include "ctl/util.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

void cleanup_fclose(FILE **stream)
{
	if (*stream)
		fclose(*stream);
}

int text_to_uint(const char *text, uint64_t min, uint64_t max, uint64_t *out)
{
	uint64_t value = 0;

	if (!*text)
		return -EINVAL;
	for (const char *p = text; *p; p++) {
		unsigned digit = (unsigned)(*p - '0');

		if (*p < '0' || *p > '9')
			return -EINVAL;
		if (value > (UINT64_MAX - digit) / 10)
			return -ERANGE;
		value = value * 10 + digit;
	}
	if (value < min || value > max)
		return -ERANGE;
	*out = value;
	return 0;
}

int read_all(int fd, size_t max, char **out, size_t *size)
{
	_cleanup_free_ char *buffer = NULL;
	size_t room = 0;
	size_t used = 0;

	for (;;) {
		ssize_t n;

		if (used == room) {
			char *larger;

			room = room ? room * 2 : 16384;
			larger = realloc(buffer, room + 1);
			if (!larger)
				return -ENOMEM;
			buffer = larger;
		}
		n = read(fd, buffer + used, room - used);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		used += (size_t)n;
		if (used > max)
			return -EFBIG;
		if (n == 0)
			break;
	}
	buffer[used] = '\0';
	*size = used;
	*out = take(buffer);
	return 0;
}

int write_bytes(int fd, const void *data, size_t size)
{
	const char *from = data;

	while (size) {
		ssize_t n = write(fd, from, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		from += n;
		size -= (size_t)n;
	}
	return 0;
}

int write_all(int fd, const char *text)
{
	return write_bytes(fd, text, strlen(text));
}

uint64_t monotonic_us(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

int64_t monotonic_ms(void)
{
	return (int64_t)(monotonic_us() / 1000);
}

int open_read(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	return fd < 0 ? -errno : fd;
}

int read_line_at(int directory, const char *path, char *out, size_t size)
{
	_cleanup_close_ int fd = openat(directory, path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read(fd, out, size);
	if (n < 0)
		return -errno;
	if (n && out[n - 1] == '\n')
		n--;
	if ((size_t)n >= size)
		return -EFBIG;
	out[n] = '\0';
	return 0;
}

int read_number(const char *path, uint64_t *out)
{
	char text[32] = "";
	int r = read_line_at(AT_FDCWD, path, text, sizeof(text));

	return r < 0 ? r : text_to_uint(text, 0, UINT64_MAX, out);
}

bool is_shortage(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOMEM;
}

bool starts_with(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

const char *path_base(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

size_t text_utf8(const char *text)
{
	const unsigned char *p = (const unsigned char *)text;
	size_t length = p[0] < 0x80 ? 1 : p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
	uint32_t value = p[0];

	if (length == 1)
		return 1;
	if (p[0] < 0xc2 || p[0] > 0xf4)
		return 0;
	value &= 0x7fu >> length;
	for (size_t i = 1; i < length; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		value = value << 6 | (p[i] & 0x3f);
	}
	if ((length == 3 && value < 0x800) || (length == 4 && value < 0x10000) || value > 0x10ffff)
		return 0;
	return value >= 0xd800 && value <= 0xdfff ? 0 : length;
}

void text_put(FILE *stream, const char *text)
{
	for (size_t n; *text; text += n) {
		unsigned char c = (unsigned char)*text;
		size_t valid = text_utf8(text);

		n = valid ? valid : 1;
		/* U+0080..U+009F are controls too: some terminals obey them. */
		if (!valid || c < 0x20 || c == 0x7f || (c == 0xc2 && (unsigned char)text[1] < 0xa0)) {
			for (size_t i = 0; i < n; i++)
				fprintf(stream, "\\x%02x", (unsigned char)text[i]);
		} else {
			fwrite(text, 1, n, stream);
		}
	}
}

void raise_limit(int resource)
{
	struct rlimit limit;

	if (getrlimit((__rlimit_resource_t)resource, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max;
		(void)setrlimit((__rlimit_resource_t)resource, &limit);
	}
}
