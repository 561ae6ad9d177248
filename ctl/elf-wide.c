/* SPDX-License-Identifier: MIT */
/* Copies the fields that are looked at, and no others. */
#include "config.h"

#include "ctl/elf-wide.h"

#include <string.h>

void elf_widen_header(Elf64_Ehdr *to, const Elf32_Ehdr *from)
{
	*to = (Elf64_Ehdr){.e_type = from->e_type,
		.e_machine = from->e_machine,
		.e_phoff = from->e_phoff,
		.e_shoff = from->e_shoff,
		.e_phentsize = from->e_phentsize,
		.e_phnum = from->e_phnum,
		.e_shentsize = from->e_shentsize,
		.e_shnum = from->e_shnum,
		.e_shstrndx = from->e_shstrndx};
	memcpy(to->e_ident, from->e_ident, EI_NIDENT);
}

void elf_widen_segment(Elf64_Phdr *to, const Elf32_Phdr *from)
{
	*to = (Elf64_Phdr){.p_type = from->p_type,
		.p_offset = from->p_offset,
		.p_vaddr = from->p_vaddr,
		.p_filesz = from->p_filesz,
		.p_memsz = from->p_memsz};
}

void elf_widen_section(Elf64_Shdr *to, const Elf32_Shdr *from)
{
	*to = (Elf64_Shdr){.sh_name = from->sh_name, .sh_offset = from->sh_offset, .sh_size = from->sh_size};
}

void elf_widen_dynamic(Elf64_Dyn *to, const Elf32_Dyn *from)
{
	*to = (Elf64_Dyn){.d_tag = from->d_tag, .d_un.d_val = from->d_un.d_val};
}

void elf_widen_symbol(Elf64_Sym *to, const Elf32_Sym *from)
{
	*to = (Elf64_Sym){.st_name = from->st_name, .st_shndx = from->st_shndx, .st_value = from->st_value};
}
