# SPDX-License-Identifier: MIT
# Completion of smcctl for fish: asks smcctl itself, and leaves files and programs to fish.
function __smcctl_words
	set -l words (commandline -opc) (commandline -ct)
	smcctl complete -- $words[2..-1] 2>/dev/null
end
function __smcctl_runs
	set -l words (commandline -opc)
	test (count $words) -ge 2; and test "$words[2]" = run
end
complete -c smcctl -a '(__smcctl_words)'
complete -c smcctl -n __smcctl_runs -a '(__fish_complete_command)'
