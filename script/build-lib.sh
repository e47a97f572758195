# shellcheck shell=bash
# What script/run and script/test share. Sourced with the top of the source tree as $top.

# Neither autoconf nor make quotes the paths that it hands on; configure would refuse these, too, but
# only after all else has been installed.
case ${top:?} in
*[[:space:]\"\'\`\\\#\$\&]*)
	echo "$0: cannot build in '$top': move it to where no folder's name has a space, a quote or" >&2
	echo "any of \` \\ # \$ & in it" >&2
	exit 125
	;;
esac

# Fewer surprises in the folders that handlers are loaded from: nobody else may write there.
umask 022

# build/foo.log of a step that failed, at a length that can be read.
show_log()
{
	echo "---- the end of ${1#"$top"/}:" >&2
	tail -n "${2:-40}" "$1" >&2
}

# (Re)makes ./configure where what it is made from is newer. The builds would do it themselves,
# but two at once must not.
prepare_configure()
{
	local log=$top/build/autoreconf.log
	if [ -e "$top/config.status" ]; then
		echo "$0: the source tree holds a build of its own; run 'make distclean' there first" >&2
		return 1
	fi
	mkdir -p "$top/build"
	if [ -x "$top/configure" ] && [ -e "$top/Makefile.in" ] && [ -e "$top/config.h.in" ] &&
		[ -z "$(find "$top" -path "$top/build" -prune -o \( -name configure.ac -o -name Makefile.am \
			-o -name local.mk \) -newer "$top/configure" -print -quit)" ]; then
		return 0
	fi
	if ! (cd "$top" && autoreconf -fi) >"$log" 2>&1; then
		show_log "$log"
		return 1
	fi
}

# configure_in DIR ARG...: configures in DIR unless that was done before with the same arguments
# and the same ./configure.
configure_in()
{
	local dir=$1
	shift
	if [ -e "$dir/Makefile" ] && [ "$dir/Makefile" -nt "$top/configure" ] &&
		[ "$(cat "$dir/.configured" 2>/dev/null)" = "$*" ]; then
		return 0
	fi
	mkdir -p "$dir"
	rm -f "$dir/.configured"
	(cd "$dir" && "$top/configure" -q "$@") || return 1
	printf '%s\n' "$*" >"$dir/.configured"
}
