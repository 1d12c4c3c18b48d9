#!/usr/bin/env python3
"""What part of each task's work the digest, its store and the journal are.

Usage: rigor demo --json > demo.json; shares.py demo.json...

A task's work is the sum of its stages; waiting for other workers and for the pool is in none of
them. The transaction that closes a task is not in its journal's seconds.
"""
import json
import sys

print(f"{'task':10} {'work s':>8} {'digest %':>9} {'store %':>8} {'journal %':>10} {'together %':>11}")
for path in sys.argv[1:]:
    with open(path) as file:
        document = json.load(file)
    for task in document["tasks"]:
        for worker in task["workers"]:
            seconds = worker["seconds"]
            total = sum(seconds.values())
            shares = [100 * seconds[stage] / total for stage in ("digest", "store", "journal")]
            print(f"{task['app'] + ' ' + str(task['index']):10} {total:8.3f} {shares[0]:9.2f} "
                  f"{shares[1]:8.2f} {shares[2]:10.2f} {sum(shares):11.2f}")
