#!/bin/sh
# Installs the program of this archive, or a newer one over an older one, and removes it again.
#
#     ./install.sh                        # as root, below /usr/local
#     ./install.sh --prefix /opt/warrior  # elsewhere
#     ./install.sh --root DIR             # into the root of another system; no user is made, no service is touched
#     /usr/local/share/warrior-api/install.sh remove
#
# Data and settings are never replaced and never removed. Nothing is started, restarted or enabled; the last lines say how.
set -eu
umask 022

prefix=/usr/local
root=
action=install

main() {
    while [ $# -gt 0 ]; do
        case $1 in
            install | remove) action=$1 ;;
            --prefix)
                prefix=$(absolute "$@")
                shift
                ;;
            --root)
                root=$(absolute "$@")
                shift
                ;;
            -h | --help)
                usage
                exit 0
                ;;
            *) fail "unknown argument: $1; see $0 --help" ;;
        esac
        shift
    done
    root=${root%/}
    prefix=${prefix%/}
    # It is written into units and settings.
    case $prefix in
        '' | *[!A-Za-z0-9/._-]*) fail "--prefix needs a folder other than /, of letters, digits and / . _ - alone" ;;
    esac
    here=$(cd "$(dirname "$0")" && pwd -P)
    [ -e "$here/BUILD" ] || fail "$here has no file BUILD; run the install.sh of an archive, or of an installed program"
    name=$(awk '$1 == "name" { print $2 }' "$here/BUILD")
    [ "$name" = warrior-api ] || [ "$name" = warrior-load ] || fail "$here/BUILD names no program of ours"
    [ -n "$root" ] || [ "$(id -u)" -eq 0 ] || fail "this needs root: sudo $0 $action, or --root DIR with a folder of yours"
    # What was installed is removed from where it is.
    [ "$action" = install ] || [ ! -e "$here/manifest" ] || prefix=$(sed -n 's/^prefix //p' "$here/manifest")
    manifest=$root$prefix/share/$name/manifest
    "$action"_it
}

usage() {
    sed -n '2,/^set /s/^# \{0,1\}//p' "$0"
}

absolute() {
    case ${2:-} in
        /*) printf '%s\n' "$2" ;;
        *) fail "$1 needs an absolute path" ;;
    esac
}

install_it() {
    [ -d "$here/bin" ] || fail "$here holds no program to install; it is what an installation left for its removal"
    # The one thing that an archive for another system fails at, before anything is changed.
    version=$("$here/bin/$name" --version 2>&1) || fail "$name does not run here: $version
It needs $(awk '$1 == "needs"' "$here/BUILD" | cut -d ' ' -f 2-) on $(awk '$1 == "target" { print $2 }' "$here/BUILD")"
    lists=$(mktemp -d)
    trap 'rm -r "$lists"' EXIT
    over=
    : >"$lists/old"
    if [ -e "$manifest" ]; then
        over=", over the one that was there"
        cp "$manifest" "$lists/old"
    fi
    (cd "$here" && find bin lib share -type f 2>/dev/null | LC_ALL=C sort) >"$lists/files"
    {
        echo "prefix $prefix"
        sed 's/^/file /' "$lists/files"
        printf 'file share/%s/%s\n' "$name" BUILD "$name" install.sh "$name" manifest
    } >"$lists/new"
    # It names the files of both until all is done: whatever interrupts this, the next install or remove knows them all.
    place_manifest "$lists/new" "$lists/old"
    while read -r file; do place "$here/$file" "$root$prefix/$file"; done <"$lists/files"
    for file in BUILD install.sh; do place "$here/$file" "$root$prefix/share/$name/$file"; done
    remove_files "$lists/old" "$lists/new"
    place_manifest "$lists/new"
    say "installed $version below $root$prefix$over"
    [ "$name" = warrior-api ] || return 0
    make_user
    make_settings
    [ -z "$root" ] || return 0
    if running_systemd; then systemctl daemon-reload; fi
    next_steps
}

# Under a new name first, and then renamed: a program that runs keeps its old file, and nobody sees half of one.
place() {
    mkdir -p "$(dirname "$2")"
    mode=644
    [ ! -x "$1" ] || mode=755
    case $1 in
        *.service) sed "s|/usr/local/|$prefix/|g" "$1" >"$2.new" ;;
        *) cp "$1" "$2.new" ;;
    esac
    chmod "$mode" "$2.new"
    mv "$2.new" "$2"
}

# The lines of these lists, each once.
place_manifest() {
    mkdir -p "$(dirname "$manifest")"
    awk '!seen[$0]++' "$@" >"$manifest.new"
    mv "$manifest.new" "$manifest"
}

make_user() {
    [ -z "$root" ] || return 0
    if ! getent passwd warrior-api >/dev/null; then
        if has systemd-sysusers; then
            systemd-sysusers "$prefix/lib/sysusers.d/warrior-api.conf"
        else
            getent group warrior-api >/dev/null || groupadd --system warrior-api
            useradd --system --gid warrior-api --home-dir /var/lib/warrior-api --no-create-home \
                --shell /usr/sbin/nologin warrior-api
        fi
    fi
    # As the units' StateDirectory makes it.
    mkdir -p /var/lib/warrior-api
    [ -e /var/lib/warrior-api/data ] || install -d -o warrior-api -g warrior-api -m 0700 /var/lib/warrior-api/data
}

make_settings() {
    settings=$root/etc/warrior-api
    if [ ! -d "$settings" ]; then
        mkdir -p "$settings"
        chmod 0750 "$settings"
        [ -n "$root" ] || chgrp warrior-api "$settings"
    fi
    [ ! -e "$settings/warrior-api.env" ] || return 0
    sed "s|/usr/local/|$prefix/|g" "$here/share/doc/warrior-api/warrior-api.env" >"$settings/warrior-api.env"
    chmod 0640 "$settings/warrior-api.env"
    [ -n "$root" ] || chgrp warrior-api "$settings/warrior-api.env"
}

next_steps() {
    active=
    for unit in warrior-api warrior-api-up; do
        if running_systemd && systemctl is-active --quiet $unit; then active=$unit; fi
    done
    case $active in
        warrior-api)
            say "the older program still serves; next: warrior-api schema apply, as OPERATIONS.md has it under"
            say "\"Install from an archive\", then systemctl restart warrior-api"
            ;;
        warrior-api-up) say "the older program still serves; next: systemctl restart warrior-api-up" ;;
        *)
            say "next, with a PostgreSQL and a PgBouncer of its own: systemctl enable --now $(unit warrior-api-up)"
            say "or before those that you have: edit /etc/warrior-api/warrior-api.env, then systemctl enable --now $(unit warrior-api)"
            ;;
    esac
}

# By its name where systemd looks for it, else by its path, which enabling then links.
unit() {
    case $prefix in
        /usr | /usr/local) echo "$1" ;;
        *) echo "$prefix/lib/systemd/system/$1.service" ;;
    esac
}

remove_it() {
    [ -e "$manifest" ] || fail "$manifest does not exist, so nothing of $name is installed below $root$prefix"
    if [ "$name" = warrior-api ] && running_systemd; then
        for unit in warrior-api warrior-api-up; do
            # Another installation's unit of this name goes on.
            file=$(systemctl show --property=FragmentPath --value "$unit" 2>/dev/null)
            [ "$(readlink -f "${file:-/}")" = "$(readlink -f "$prefix/lib/systemd/system/$unit.service")" ] || continue
            systemctl disable --now --quiet "$unit" || fail "systemd does not stop $unit; nothing is removed"
        done
    fi
    lists=$(mktemp -d)
    trap 'rm -r "$lists"' EXIT
    cp "$manifest" "$lists/old"
    remove_files "$lists/old" /dev/null
    say "removed $name from $root$prefix"
    [ "$name" = warrior-api ] || return 0
    if running_systemd; then systemctl daemon-reload; fi
    say "kept: $root/var/lib/warrior-api (data), $root/etc/warrior-api (settings and passwords), and the user warrior-api"
    say "to delete these, too: rm -r $root/var/lib/warrior-api $root/etc/warrior-api && userdel warrior-api"
}

# Removes what the list $1 names and the list $2 does not, and then the folders of ours that are empty.
remove_files() {
    sed -n 's/^file //p' "$1" | while read -r file; do
        # Under its new name it was placed by an installation that was interrupted.
        grep -qxF "file $file" "$2" || rm -f "$root$prefix/$file" "$root$prefix/$file.new"
    done
    for folder in "share/$name" "share/doc/$name"; do
        [ ! -d "$root$prefix/$folder" ] || find "$root$prefix/$folder" -depth -type d -empty -delete
    done
}

has() {
    command -v "$1" >/dev/null 2>&1
}

running_systemd() {
    [ -z "$root" ] && [ -d /run/systemd/system ] && has systemctl
}

say() {
    echo "install: $*"
}

fail() {
    echo "install: $*" >&2
    exit 1
}

main "$@"
