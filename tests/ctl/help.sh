#!/bin/bash
# SPDX-License-Identifier: MIT
# Help, version, wrong words; and the manual, which must name what the help names and nothing else.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh" || exit 99
in_namespace
man=$top_srcdir/doc/smcctl.8

gives 0 "--help" "$smcctl" --help
says out '^  policy watch +[a-z]'
lines err 0 "--help writes to stdout only"
commands=$(sed -n 's/^  \([a-z][a-z -]*[a-z]\)   *.*/\1/p' out)
gives 0 "--version" "$smcctl" --version
says out "^smcctl $(cat "$top_srcdir/VERSION")$"
holds "help and version touch nothing" test ! -e /run/smc

# Both ways: every command and option of the help is in the manual, and the other way round. A command's page has its first word's name.
sed -n 's/^\.It Cm //p' "$man" >manual
echo "$commands" >help
holds "smcctl(8) has the commands of the help" diff manual help
while read -r group; do
	page=$top_srcdir/doc/smcctl-$group.8
	grep -E "^$group( |\$)" <<<"$commands" >help
	sed -n 's/^\.It Cm //p' "$page" | sed 's/ O[op] .*//; s/ Ar .*//' >manual
	holds "smcctl-$group(8) has the commands of the help" diff manual help
	: >options
	while read -r command; do
		# shellcheck disable=SC2086
		gives 0 "$command --help" "$smcctl" $command --help </dev/null
		lines err 0 "$command --help writes to stdout only"
		says out "^smcctl-$group\(8\) tells more\.$"
		grep -Eo '(^|[ ,])--[a-z][a-z-]*' out | tr -d ' ,' | grep -vx -e --help >>options
	done < <(cat help)
	sort -u options >help
	# What another page's example says is not this command's.
	sed '/^\.Sh EXAMPLES/,/^\.Sh/d' "$page" | grep -Eo 'Fl -[a-z][a-z-]+' | sed 's/Fl -/--/' | sort -u >manual
	holds "smcctl-$group(8) has the options of the help" diff manual help
done < <(echo "$commands" | sed 's/ .*//' | uniq)
grep -E '^\.It [0-9]+$' "$man" | tr -dc '0-9\n' >manual
sed -n '/^enum ctl_exit/,/^}/s/.*= \([0-9]*\),.*/\1/p' "$top_srcdir/ctl/ctl.h" >help
holds "the manual's exit codes are those of the source" diff manual help
sed -n 's/^\.It Va //p' "$top_srcdir/doc/libsmcshim.8" >manual
sed -n 's/.*X(\([a-z0-9_]*\), ".*/\1/p' "$top_srcdir/preload/counters.h" >help
holds "the manual's counters are those of the library" diff manual help
holds "mandoc is there" command -v mandoc
for page in "$top_srcdir"/doc/*.[1-8]; do
	# Pages of other packages need not be installed.
	mandoc -Tlint "$page" 2>/dev/null | grep -v 'referenced manual not found' >out
	lines out 0 "mandoc finds nothing in ${page##*/}"
done

# What the guides tell people to type is there: each `smcctl ...` of theirs is a command with options that its help knows.
cat >guides.py <<'END'
import glob, re, subprocess, sys
smcctl, top, commands = sys.argv[1], sys.argv[2], sys.argv[3].split("\n")
seen = 0
for path in sorted(glob.glob(top + "/doc/*.md") + [top + "/README.md"]):
    text = open(path).read()
    spans = re.findall(r"`(smcctl [^`]*)`", text) + re.findall(r"^[#$] (smcctl .*?)(?: {2,}#.*)?$", text, re.M)
    for span in spans:
        words = span.split()[1:]
        names = [" ".join(words[:n]) for n in (2, 1) if " ".join(words[:n]) in commands]
        if not names:
            groups = {c.split()[0] for c in commands if " " in c}
            if len(words) != 1 or words[0] not in groups:
                print(f"{path}: {span}: no such command")
            continue
        seen += 1
        mine = words[len(names[0].split()):]
        mine = mine[:mine.index("--")] if "--" in mine else mine
        help = subprocess.run([smcctl, *names[0].split(), "--help"], capture_output=True, text=True).stdout
        for option in (w.split("=")[0] for w in mine if w.startswith("--")):
            if not re.search(rf"^ .*{option}\b", help, re.M):
                print(f"{path}: {span}: {names[0]} has no {option}")
print(f"{seen} checked", file=sys.stderr)
END
python3 guides.py "$smcctl" "$top_srcdir" "$commands" >out 2>err
lines out 0 "the guides name commands and options that there are"
holds "... and they are looked at" grep -Eq '^[1-9][0-9]+ checked$' err

for words in "" "bogus" "--bogus" "-v" "polic apply" "policy" "policy bogus" "run --bogus x" "status --jso" "status -x" \
	"policy apply a b" "policy apply --policy" "policy apply --policy= x" "policy test" "policy test 10.0.0.1 --listen=1" \
	"status --watch=0" "status --watch=x" "status abc" "policy test 10.0.0.300" "policy apply a --policy b" \
	"policy test 1.1.1.1 --file a --policy b" "run" "--help x" "status 1 0"; do
	# shellcheck disable=SC2086
	refuses 64 "wrong usage: smcctl $words" "$smcctl" $words
done
gives 64 "an unknown option" "$smcctl" run --bogus x
says err "^smcctl: option '--bogus': unknown; try smcctl run --help$"
gives 1 "a full stdout is an error" bash -c '"$1" --help >/dev/full' - "$smcctl"
says err "^smcctl: write to 'standard output': No space left on device$"
gives 0 "a closed stdin, stdout and stderr do no harm" bash -c '"$1" --version <&- 2>&-' - "$smcctl"

gives 0 "completion of commands" "$smcctl" complete -- policy a
says out '^apply$'
gives 0 "completion of options" "$smcctl" complete -- run --p
says out '^--policy$'
gives 0 "completion for bash" bash -c '. "$1"; COMP_WORDS=(smcctl policy ob); COMP_CWORD=2; PATH=$2:$PATH; _smcctl
	echo "${COMPREPLY[@]}"' - "$top_srcdir/ctl/completion/smcctl" "$top_builddir"
says out '^observe$'
# shellcheck disable=SC2016 # expanded by the other shells
gives 0 "completion for fish" env PATH="$top_builddir:$PATH" HOME="$PWD" fish --no-config -c 'source $argv[1]; complete -C "smcctl policy ob"' \
	"$top_srcdir/ctl/completion/smcctl.fish"
says out '^observe'
lines err 0 "... without a word on stderr"
# What zsh's own completion system would do is made up: run the command, print what is added.
# shellcheck disable=SC2016
gives 0 "completion for zsh" env PATH="$top_builddir:$PATH" zsh -f -c 'words=(smcctl policy ob) CURRENT=3
	_call_program() { shift; "$@" }
	compadd() { print -l -- $found }
	_files() { print files }
	source $1' zsh "$top_srcdir/ctl/completion/_smcctl"
says out '^observe$'
lines out 1 "... and nothing else"
lines err 0 "... without a word on stderr"
finish
