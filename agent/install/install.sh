#!/bin/sh
# Makes the release in which it lies the one that this host runs. Can be run again at any point: what is in place stays as it is, the
# agent starts anew only in another release, containerd only with another configuration, and containers run on in either case.
# DESTDIR comes before every path that is written. GANTRY_UPDATES=no: nothing looks for further releases (a host that joined by token).
set -eu
umask 022
PATH=${PATH:-}:/opt/gantry/usr/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin
export PATH

here=$(cd "$(dirname "$0")" && pwd -P)
release=$(basename "$here")
prefix=${DESTDIR:-}/opt/gantry
units=${DESTDIR:-}/etc/systemd/system
configuration=${DESTDIR:-}/etc/gantry

# place FILE DIRECTORY: writes it there unless it is there already (then changed is no), by a rename, so that it is never half there.
place() {
  changed=no
  if cmp -s "$here/$1" "$2/$1"; then return 0; fi
  cp "$here/$1" "$2/.$1.new"
  mv "$2/.$1.new" "$2/$1"
  changed=yes
}

# Keeps this release and the one before it, which is what a roll-back asks for.
remove_old_releases() {
  for directory in "$prefix"/*; do
    name=$(basename "$directory")
    case $name in "$release" | "$previous") continue ;; esac
    printf '%s\n' "$name" | grep -Eq '^[0-9a-f]{64}$' && rm -rf "$directory"
  done
  return 0
}

. "$here/packages.sh"
install_missing containerd containerd-shim-runc-v2 runc ip iptables iptables-restore conntrack nsenter

mkdir -p "$units" "$configuration"
place containerd.toml "$configuration"
configuration_changed=$changed
place gantry-containerd.service "$units"
service_changed=$changed
place gantry-agent.service "$units"
if [ "${GANTRY_UPDATES:-yes}" = yes ]; then
  timer=gantry-update.timer
  for unit in gantry-update.service "$timer"; do place "$unit" "$units"; done
  place update.sh "$prefix"
else
  timer=
fi

previous=$(basename "$(readlink "$prefix/current" 2>/dev/null || echo none)")
ln -sfn "$here" "$prefix/.current"
mv -fT "$prefix/.current" "$prefix/current"

systemctl daemon-reload
systemctl enable --quiet gantry-containerd.service gantry-agent.service $timer
case $configuration_changed$service_changed in
  nono) systemctl start gantry-containerd.service ;;
  *) systemctl restart gantry-containerd.service ;;
esac
systemctl restart gantry-agent.service
[ -z "$timer" ] || systemctl start "$timer"
printf '%s\n' "$release" >"$prefix/.installed"
sync
mv "$prefix/.installed" "$prefix/installed"
remove_old_releases
echo "gantry: the agent runs from $prefix/$release"
