# Removes the control group that enter_group.sh made.
for group in /sys/fs/cgroup/warrior-drill /sys/fs/cgroup/memory/warrior-drill; do
    [ ! -d "$group" ] || rmdir "$group"
done
