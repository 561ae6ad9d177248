/* SPDX-License-Identifier: MIT */
/* ELF structures of 32-bit files as those of 64 bits, so that who walks a file or a process knows one kind only. */
#ifndef SMCSHIM_CTL_ELF_WIDE_H
#define SMCSHIM_CTL_ELF_WIDE_H

#include <elf.h>

void elf_widen_header(Elf64_Ehdr *to, const Elf32_Ehdr *from);
void elf_widen_segment(Elf64_Phdr *to, const Elf32_Phdr *from);
void elf_widen_section(Elf64_Shdr *to, const Elf32_Shdr *from);
void elf_widen_dynamic(Elf64_Dyn *to, const Elf32_Dyn *from);
void elf_widen_symbol(Elf64_Sym *to, const Elf32_Sym *from);

#endif
