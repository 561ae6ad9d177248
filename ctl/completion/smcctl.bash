# SPDX-License-Identifier: MIT
# Completion of smcctl for bash: asks smcctl itself, and leaves files and programs to bash.
_smcctl() {
	local word=${COMP_WORDS[COMP_CWORD]} i first=0
	# Behind "smcctl run [OPTION...]" stands a command line of its own.
	if [[ ${COMP_WORDS[1]} == run ]]; then
		for ((i = 2; i < COMP_CWORD; i++)); do
			case ${COMP_WORDS[i]} in
			--policy) ((i++)) ;;
			--) first=$((i + 1)) && break ;;
			-*) ;;
			*) first=$i && break ;;
			esac
		done
		if ((first)) && declare -F _command_offset >/dev/null; then
			_command_offset "$first"
			return
		fi
	fi
	mapfile -t COMPREPLY < <(smcctl complete -- "${COMP_WORDS[@]:1:COMP_CWORD-1}" "$word" 2>/dev/null)
}
complete -o bashdefault -o default -F _smcctl smcctl
