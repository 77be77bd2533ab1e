#!/bin/sh
# Makes a network without a way out, and runs a program in it: unshare --net --mount setup.sh <file for names> program…
set -e
ip link set lo up
ip address add 192.0.2.1/32 dev lo
ip address add 192.0.2.2/32 dev lo
ip address add 198.51.100.1/32 dev lo
ip address add 2001:db8:1::1/64 dev lo nodad
# This address swallows all packets, and 192.0.2.2 the first of a connection, which comes again after a second.
ip6tables --append OUTPUT --destination 2001:db8:1::9 --protocol tcp --jump DROP
iptables --append OUTPUT --destination 192.0.2.2 --protocol tcp --syn \
  --match statistic --mode nth --every 2 --packet 0 --jump DROP
cat > "$1" << NAMES
127.0.0.1 localhost
2001:db8:9::9 noroute.example distant.example
2001:db8:1::9 dropped.example distant-and-dropped.example
192.0.2.1 noroute.example dropped.example
192.0.2.2 distant.example distant-and-dropped.example
NAMES
mount --bind "$1" /etc/hosts
shift
exec "$@"
