#!/usr/bin/python3
"""What the measurements conclude from what they read: where a figure is taken apart wrongly, or a goal judged wrongly, nobody would notice."""
import contextlib
import io
import os
import tempfile
import unittest

import comparison
import instructions
from callgrind_profile import Profile

# main calls parse twice and serve once; serve calls parse once and asks for memory.
PROFILE = """# callgrind format
events: Ir
fn=(1) main
0 10
cfn=(2) parse(char const*)
calls=2 0
0 40
+1 5
cfn=(3) serve()
calls=1 0
0 100

fn=(2)
0 60

fn=(3)
0 60
cfn=(2)
calls=1 0
0 20
cfn=(4) operator new(unsigned long)
calls=2 0
0 20

fn=(4)
0 8
cfn=(5) malloc
calls=2 0
* 12

fn=(5)
0 12
"""


class OfCallgrind(unittest.TestCase):
    def setUp(self):
        with tempfile.NamedTemporaryFile("w") as file:
            file.write(PROFILE)
            file.flush()
            self.profile = Profile(file.name)

    def test_costs_of_all_functions_are_added_up(self):
        self.assertEqual(self.profile.instructions, 10 + 5 + 60 + 60 + 8 + 12)

    def test_a_caller_can_be_told_from_another(self):
        self.assertEqual(self.profile.inclusive(r"^parse\("), (3, 60))
        self.assertEqual(self.profile.inclusive(r"^parse\(", r"^serve\("), (1, 20))

    def test_memory_is_asked_for_by_who_calls_operator_new(self):
        self.assertEqual(self.profile.allocations(), {"serve()": 2})

    def test_what_lies_below_is_taken_out_once(self):
        parts = self.profile.parts_below([(r"^parse\(", "")])
        self.assertAlmostEqual(parts["serve()"], 20 / 100)
        self.assertAlmostEqual(parts["main"], (40 + 20) / 155)


class OfTheBudget(unittest.TestCase):
    BUDGET = {"plain": {"instructions": 1000, "allocations": 0.0, "system_calls": 9.0}}

    def judge(self, **changed):
        return list(instructions.over_budget({"plain": {**self.BUDGET["plain"], **changed}}, self.BUDGET))

    def test_three_percent_more_is_let_pass(self):
        self.assertEqual(self.judge(instructions=1030), [])

    def test_more_than_that_is_not(self):
        self.assertEqual(self.judge(instructions=1031), ["plain: 1031 instructions per request, more than 3% above the budget of 1000"])

    def test_neither_is_one_allocation_or_system_call(self):
        self.assertEqual(len(self.judge(allocations=1.0)), 1)
        self.assertEqual(len(self.judge(system_calls=10.0)), 1)


class OfTheComparison(unittest.TestCase):
    def judge(self, scenario, **values):
        row = {who: {"value": value, "p50": value / 1000, "p99": value / 1000, "errors": 0} for who, value in values.items()}
        with contextlib.redirect_stdout(io.StringIO()) as told:
            return comparison.table({scenario: {"unit": "us", **row}}), told.getvalue()

    def test_a_goal_is_a_part_of_what_the_peer_costs(self):
        self.assertTrue(self.judge("plain", subject=6.5, nginx=10.0, haproxy=10.0, floor=5.0)[0])
        self.assertFalse(self.judge("plain", subject=7.1, nginx=10.0, haproxy=11.0, floor=6.0)[0])

    def test_latency_of_one_client_has_goals_too(self):
        met, told = self.judge("plain-1", subject=7.0, nginx=10.0, haproxy=10.0, floor=6.0)
        self.assertTrue(met)
        self.assertIn("plain-1 p99", told)

    def test_an_idle_connection_is_held_against_a_size(self):
        self.assertTrue(self.judge("idle", subject=2.5, nginx=0.5, haproxy=1.3)[0])
        self.assertFalse(self.judge("idle", subject=2.6, nginx=10.0, haproxy=10.0)[0])


if __name__ == "__main__":
    unittest.main()
