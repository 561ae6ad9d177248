/* SPDX-License-Identifier: MIT */
/* Files as values: "MODE UID GID HEX [NAME=HEX]...", their bytes and extended attributes in hexadecimal digits. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "ctl/host/item.h"
#include "ctl/replace.h"

#define FILE_MAX (1u << 20)
#define XATTR_MAX 65536u

struct text {
	char *at;
	size_t used;
	size_t room;
	bool no_memory;
};

static void put(struct text *text, const void *data, size_t size, bool hex)
{
	static const char digits[] = "0123456789abcdef";
	const unsigned char *from = data;
	size_t more = text->used + size * (hex ? 2 : 1) + 1;

	if (text->no_memory)
		return;
	if (!text->at || more > text->room) {
		char *larger = realloc(text->at, more * 2);

		if (!larger) {
			text->no_memory = true;
			return;
		}
		text->at = larger;
		text->room = more * 2;
	}
	for (size_t i = 0; i < size; i++) {
		if (hex)
			text->at[text->used++] = digits[from[i] >> 4];
		text->at[text->used++] = hex ? digits[from[i] & 15] : (char)from[i];
	}
	text->at[text->used] = '\0';
}

static void put_head(struct text *text, unsigned mode, unsigned uid, unsigned gid)
{
	char head[64];

	put(text, head, (size_t)snprintf(head, sizeof(head), "%04o %u %u ", mode, uid, gid), false);
}

/* File systems without extended attributes have none. */
static int put_xattrs(struct text *text, int fd)
{
	_cleanup_free_ char *names = malloc(XATTR_MAX);
	_cleanup_free_ char *value = malloc(XATTR_MAX);
	ssize_t length;

	if (!names || !value)
		return -ENOMEM;
	length = flistxattr(fd, names, XATTR_MAX);
	if (length < 0)
		return errno == ENOTSUP ? 0 : -errno;
	for (const char *name = names; name < names + length; name += strlen(name) + 1) {
		ssize_t size = fgetxattr(fd, name, value, XATTR_MAX);

		/* Seen, but not for us to read: then not for us to change either. */
		if (size < 0)
			continue;
		put(text, " ", 1, false);
		put(text, name, strlen(name), false);
		put(text, "=", 1, false);
		put(text, value, (size_t)size, true);
	}
	return 0;
}

int file_get(const char *path, char **out)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	_cleanup_free_ char *bytes = NULL;
	struct text text = {.at = NULL};
	struct stat st;
	size_t size;
	int r;

	*out = NULL;
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EMEDIUMTYPE;
	r = read_all(fd, FILE_MAX, &bytes, &size);
	if (r < 0)
		return r;
	put_head(&text, st.st_mode & 07777, st.st_uid, st.st_gid);
	put(&text, bytes, size, true);
	r = put_xattrs(&text, fd);
	if (r == 0 && text.no_memory)
		r = -ENOMEM;
	if (r < 0)
		free(text.at);
	else
		*out = text.at;
	return r;
}

char *file_value(const char *content)
{
	struct text text = {.at = NULL};

	put_head(&text, 0644, 0, 0);
	put(&text, content, strlen(content), true);
	if (!text.no_memory)
		return text.at;
	free(text.at);
	return NULL;
}

/* What stands before the extended attributes. */
static size_t core_length(const char *value)
{
	const char *p = value;

	for (int blanks = 0; *p; p++) {
		if (*p == ' ' && ++blanks == 4)
			break;
	}
	return (size_t)(p - value);
}

/* Security modules label each new file: that is not a difference. */
bool file_equal(const char *a, const char *b)
{
	size_t length = core_length(a);

	return length == core_length(b) && memcmp(a, b, length) == 0;
}

static int hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Digits up to a blank or the end; the caller frees. */
static char *from_hex(const char *hex, size_t *size)
{
	size_t length = strcspn(hex, " ");
	char *out = length % 2 ? NULL : malloc(length / 2 + 1);

	for (size_t i = 0; out && i < length; i += 2) {
		int high = hex_digit(hex[i]), low = hex_digit(hex[i + 1]);

		if (high < 0 || low < 0) {
			free(out);
			return NULL;
		}
		out[i / 2] = (char)(high << 4 | low);
	}
	if (out) {
		out[length / 2] = '\0';
		*size = length / 2;
	}
	return out;
}

/* Behind the three numbers. */
static const char *hex_of(const char *value)
{
	for (int i = 0; i < 3 && value; i++) {
		value = strchr(value, ' ');
		value = value ? value + 1 : NULL;
	}
	return value;
}

char *file_bytes(const char *value, size_t *size)
{
	const char *hex = hex_of(value);

	return hex ? from_hex(hex, size) : NULL;
}

static int set_owner_and_xattrs(int fd, const void *context)
{
	const char *value = context;
	unsigned mode, uid, gid;
	const char *p = value + core_length(value);

	if (sscanf(value, "%o %u %u", &mode, &uid, &gid) != 3)
		return -EINVAL;
	if (fchown(fd, uid, gid) < 0)
		return -errno;
	while (*p == ' ') {
		size_t length = strcspn(++p, "=");
		_cleanup_free_ char *name = strndup(p, length);
		_cleanup_free_ char *bytes = NULL;
		size_t size = 0;

		if (p[length] != '=')
			return -EINVAL;
		p += length + 1;
		bytes = from_hex(p, &size);
		if (!name || !bytes)
			return -ENOMEM;
		if (fsetxattr(fd, name, bytes, size, 0) < 0)
			return -errno;
		p += strcspn(p, " ");
	}
	return 0;
}

/* No loader reads names that begin with a dot. */
static char *temporary_of(const char *path)
{
	char *name;

	return asprintf(&name, ".%s.new", path_base(path)) < 0 ? NULL : name;
}

int file_sweep(const char *path)
{
	_cleanup_free_ char *temporary = temporary_of(path);
	_cleanup_close_ int at = replace_directory(path);

	if (!temporary)
		return -ENOMEM;
	if (at < 0)
		return at == -ENOENT ? 0 : at;
	return unlinkat(at, temporary, 0) < 0 && errno != ENOENT ? -errno : 0;
}

static int remove_file(const char *path)
{
	_cleanup_close_ int at = replace_directory(path);

	if (at < 0)
		return at == -ENOENT ? 0 : at;
	if (unlinkat(at, path_base(path), 0) < 0 && errno != ENOENT)
		return -errno;
	return fsync(at) < 0 ? -errno : 0;
}

int file_set(const char *path, const char *value)
{
	_cleanup_free_ char *temporary = NULL;
	_cleanup_free_ char *bytes = NULL;
	_cleanup_close_ int at = -1;
	unsigned mode;
	size_t size;

	if (!value)
		return remove_file(path);
	bytes = file_bytes(value, &size);
	if (!bytes || sscanf(value, "%o", &mode) != 1)
		return -EINVAL;
	at = replace_directory(path);
	if (at < 0)
		return at;
	temporary = temporary_of(path);
	if (!temporary)
		return -ENOMEM;
	return replace_file(&(struct replace){.at = at,
				    .name = path_base(path),
				    .temporary = temporary,
				    .mode = mode & 07777,
				    .prepare = set_owner_and_xattrs,
				    .context = value},
		bytes, size);
}
