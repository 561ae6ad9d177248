/* SPDX-License-Identifier: MIT */
/* The thread that made a call: its descriptors, its memory, where it lives. */
#ifndef SMCSHIM_CTL_SUPERVISE_TARGET_H
#define SMCSHIM_CTL_SUPERVISE_TARGET_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "ctl/util.h"

/* Called once in each supervisor: forgets all threads, finds out where it lives itself. */
void target_start(void);

/*
 * The same open file as the thread's descriptor fd, close-on-exec. Its thread must be waiting in a call: the caller checks
 * that afterwards (SECCOMP_IOCTL_NOTIF_ID_VALID). Returns the descriptor or -errno.
 */
_must_check_ int target_take_fd(pid_t tid, int fd);

/* Whether the descriptors of the thread may be taken. Its memory may be read then, too. */
bool target_is_reachable(pid_t tid);

/* Whether the thread has its descriptor closed by execve(2); true if that cannot be told. */
bool target_closes_on_exec(pid_t tid, int fd);

/* The number under which the thread's process has the socket of that inode, or -1. */
int target_find_socket(pid_t tid, uint64_t inode);

/*
 * Whether the descriptor is the only one of the thread's process for the socket of that inode, and no epoll of the process
 * has it: then another socket can take its place. False if that cannot be told. Takes time: looks at all descriptors.
 */
bool target_has_alone(pid_t tid, int fd, uint64_t inode);

/*
 * Whether the thread has a signal to take, and would do so if its call ended with ERESTARTSYS. A signal that another
 * thread of its process may take is not meant: that number would then reach the program.
 */
bool target_has_signal(pid_t tid);

/* Copies between our memory and the thread's. Returns 0 or -errno. */
_must_check_ int target_read(pid_t tid, uint64_t address, void *to, size_t size);
_must_check_ int target_write(pid_t tid, uint64_t address, const void *from, size_t size);

/*
 * Whether the thread's sockets belong into our network namespace, where ours are made. After target_is_reachable(), which
 * finds out whether it is still the thread that had the number before.
 */
bool target_is_in_our_network(pid_t tid);

/*
 * A thread is about to go to another one: it is asked of each from now on. Of that thread alone is not enough, for one that
 * executes a program gets the number of its process, and has the place of the first thread.
 */
void target_networks_change(void);

/* The name of the thread's process, at most 15 characters, as the kernel's comm has it. Returns 0 or -errno. */
_must_check_ int target_program(pid_t tid, char name[static 16]);

#endif
