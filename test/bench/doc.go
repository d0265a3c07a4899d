// Package bench measures what operations cost a cluster: how often they read and write, how long they take beside a
// rollout of an equal StatefulSet, and how soon the next pod leaves once one is Ready. `make bench` runs it on a lab of
// its own with an audit log, which tells what the operator really did, and prints a table at the end.
package bench
