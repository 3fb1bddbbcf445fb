/* SPDX-License-Identifier: Apache-2.0
 *
 * test_evaluation.c - evaluations and members as records: found, linked, let go when nothing is
 * left of them.
 */
#include "invigilator/evaluation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct invig_policy policy;
static struct invig_evaluations evaluations;
static struct invig_user users[2];
static struct invig_journal journal;

static int setup(void **state)
{
    (void)state;
    memset(users, 0, sizeof(users));
    assert_int_equal(invig_policy_init(&policy), INVIG_OK);
    invig_evaluations_init(&evaluations, &policy, (struct invig_seed){{1, 2}}, &journal);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    invig_evaluations_deinit(&evaluations);
    assert_null(users[0].members);
    assert_null(users[1].members);
    invig_policy_deinit(&policy);
    return 0;
}

static struct invig_evaluation *require_evaluation(const char *id)
{
    struct invig_evaluation *evaluation = NULL;

    assert_int_equal(invig_evaluations_require(&evaluations, invig_text_of(id), &evaluation),
                     INVIG_OK);
    return evaluation;
}

static struct invig_member *require_member(struct invig_evaluation *evaluation, int user)
{
    struct invig_member *member = NULL;

    assert_int_equal(
        invig_evaluations_require_member(&evaluations, evaluation, &users[user], &member),
        INVIG_OK);
    return member;
}

/* As if all that was noted had been stored. */
static void store_all(void)
{
    while (journal.first != NULL) {
        invig_journal_remove(&journal, journal.first);
    }
}

static int phase(const char *word)
{
    return invig_policy_find_phase(&policy, invig_text_of(word));
}

static void test_evaluation_is_found_by_id(void **state)
{
    struct invig_evaluation *one = require_evaluation("e1");
    struct invig_evaluation *other = require_evaluation("e2");

    (void)state;
    assert_ptr_equal(require_evaluation("e1"), one);
    assert_ptr_equal(invig_evaluations_find(&evaluations, invig_text_of("e2")), other);
    assert_null(invig_evaluations_find(&evaluations, invig_text_of("e")));
    assert_null(invig_evaluations_find(&evaluations, invig_text_of(NULL)));
    assert_int_equal(one->phase, -1);
    assert_string_equal(one->id, "e1");
}

static void test_evaluation_members_are_linked_both_ways(void **state)
{
    struct invig_evaluation *one = require_evaluation("e1");
    struct invig_evaluation *other = require_evaluation("e2");
    struct invig_member *a1 = require_member(one, 0);
    struct invig_member *b1 = require_member(one, 1);
    struct invig_member *a2 = require_member(other, 0);

    (void)state;
    assert_ptr_equal(require_member(one, 0), a1);
    assert_ptr_equal(invig_evaluations_find_member(&evaluations, other, &users[0]), a2);
    assert_null(invig_evaluations_find_member(&evaluations, other, &users[1]));
    assert_null(invig_evaluations_find_member(&evaluations, NULL, &users[1]));
    assert_null(invig_evaluations_find_member(&evaluations, one, NULL));
    assert_ptr_equal(one->first, a1);
    assert_ptr_equal(a1->evaluation_next, b1);
    assert_ptr_equal(one->last, b1);
    assert_ptr_equal(users[0].members, a2);
    assert_ptr_equal(a2->user_next, a1);
    assert_true(invig_evaluations_release_member(&evaluations, a1));
    assert_ptr_equal(one->first, b1);
    assert_null(b1->evaluation_previous);
    assert_null(a2->user_next);
    assert_true(invig_evaluations_release_member(&evaluations, a2));
    assert_null(users[0].members);
    invig_evaluations_release(&evaluations, other);
    assert_null(invig_evaluations_find(&evaluations, invig_text_of("e2")));
}

/* Each of these is worth remembering by itself. */
static void test_evaluation_member_is_kept_while_it_says_something(void **state)
{
    struct invig_evaluation *one = require_evaluation("e1");
    struct invig_member *member = require_member(one, 0);

    (void)state;
#define KEPT_WHILE(field, value)                                                                   \
    do {                                                                                           \
        member->field = (value);                                                                   \
        assert_false(invig_evaluations_release_member(&evaluations, member));                      \
        member->field = 0;                                                                         \
    } while (0)
    KEPT_WHILE(claim_count, 1);
    KEPT_WHILE(record.access, INVIG_ACCESS_DENIED);
    KEPT_WHILE(record.is_finished, true);
    KEPT_WHILE(record.has_version, true);
    KEPT_WHILE(has_topic, true);
    KEPT_WHILE(record.is_bound, true);
    KEPT_WHILE(record.is_blocked, true);
    KEPT_WHILE(record.is_copy, true);
    KEPT_WHILE(record.released_serial, 1);
    KEPT_WHILE(record.was_student, true);
    KEPT_WHILE(record.has_connected, true);
    KEPT_WHILE(has_presence, true);
#undef KEPT_WHILE
    invig_evaluations_add_pending(&evaluations, member, INVIG_MEMBER_CLEAR);
    assert_false(invig_evaluations_release_member(&evaluations, member));
    invig_evaluations_remove_pending(&evaluations, member, INVIG_MEMBER_CLEAR);
    /* What is not stored yet is not lost. */
    invig_evaluations_note(&evaluations, member);
    assert_false(invig_evaluations_release_member(&evaluations, member));
    store_all();
    assert_true(invig_evaluations_release_member(&evaluations, member));
}

static void test_evaluation_is_kept_while_it_says_something(void **state)
{
    struct invig_evaluation *one = require_evaluation("e1");
    struct invig_member *member = require_member(one, 0);

    (void)state;
    invig_evaluations_release(&evaluations, one);
    assert_ptr_equal(invig_evaluations_find(&evaluations, invig_text_of("e1")), one);
    assert_true(invig_evaluations_release_member(&evaluations, member));
    invig_evaluations_set_phase(&evaluations, one, phase("NEW"), false);
    invig_evaluations_release(&evaluations, one);
    assert_ptr_equal(invig_evaluations_find(&evaluations, invig_text_of("e1")), one);
    invig_evaluations_set_phase(&evaluations, one, -1, false);
    invig_evaluations_release(&evaluations, one);
    assert_ptr_equal(invig_evaluations_find(&evaluations, invig_text_of("e1")), one);
    store_all();
    invig_evaluations_release(&evaluations, one);
    assert_null(invig_evaluations_find(&evaluations, invig_text_of("e1")));
}

static void test_evaluation_is_strict_by_phase_unless_switched_off(void **state)
{
    struct invig_evaluation *one = require_evaluation("e1");
    struct invig_evaluation *other = require_evaluation("e2");

    (void)state;
    invig_evaluations_set_phase(&evaluations, one, phase("REGISTRATION"), false);
    assert_false(one->is_strict);
    invig_evaluations_set_phase(&evaluations, one, phase("IN_PROGRESS"), false);
    invig_evaluations_set_phase(&evaluations, one, phase("IN_PROGRESS"), false);
    assert_true(one->is_strict);
    assert_int_equal(evaluations.strict_count, 1);
    invig_evaluations_set_phase(&evaluations, other, phase("IN_PROGRESS"), true);
    assert_false(other->is_strict);
    assert_int_equal(evaluations.strict_count, 1);
    invig_evaluations_set_phase(&evaluations, other, phase("IN_PROGRESS"), false);
    assert_int_equal(evaluations.strict_count, 2);
    invig_evaluations_set_phase(&evaluations, one, phase("GRADING"), false);
    assert_int_equal(evaluations.strict_count, 1);
    invig_evaluations_set_phase(&evaluations, other, -1, false);
    invig_evaluations_set_phase(&evaluations, other, -1, false);
    assert_int_equal(evaluations.strict_count, 0);
}

static void test_evaluation_pending_is_a_queue_of_members(void **state)
{
    struct invig_evaluation *one = require_evaluation("e1");
    struct invig_member *a = require_member(one, 0);
    struct invig_member *b = require_member(one, 1);

    (void)state;
    invig_evaluations_add_pending(&evaluations, a, 0);
    assert_null(evaluations.pending_first);
    invig_evaluations_remove_pending(&evaluations, a, INVIG_MEMBER_COPY);
    invig_evaluations_add_pending(&evaluations, a, INVIG_MEMBER_COPY);
    invig_evaluations_add_pending(&evaluations, b, INVIG_MEMBER_COPY);
    invig_evaluations_add_pending(&evaluations, a, INVIG_MEMBER_PRESENCE);
    assert_ptr_equal(evaluations.pending_first, a);
    assert_ptr_equal(a->pending_next, b);
    assert_ptr_equal(evaluations.pending_last, b);
    invig_evaluations_remove_pending(&evaluations, a, INVIG_MEMBER_COPY);
    assert_ptr_equal(evaluations.pending_first, a);
    invig_evaluations_remove_pending(&evaluations, a, INVIG_MEMBER_PRESENCE);
    assert_ptr_equal(evaluations.pending_first, b);
    assert_null(b->pending_previous);
    invig_evaluations_add_pending(&evaluations, a, INVIG_MEMBER_COPY);
    invig_evaluations_remove_pending(&evaluations, b, INVIG_MEMBER_COPY);
    assert_ptr_equal(evaluations.pending_first, a);
    assert_ptr_equal(evaluations.pending_last, a);
}

static void test_evaluation_participant_and_blocked(void **state)
{
    static const struct {
        enum invig_access access;
        unsigned students;
        bool is_blocked;
        bool participates;
        bool stopped;
    } cases[] = {
        {INVIG_ACCESS_UNSAID, 0, false, false, false},
        {INVIG_ACCESS_UNSAID, 1, false, true, false},
        {INVIG_ACCESS_UNSAID, 1, true, true, true},
        {INVIG_ACCESS_ALLOWED, 0, false, true, false},
        {INVIG_ACCESS_ALLOWED, 0, true, true, true},
        {INVIG_ACCESS_DENIED, 1, false, false, false},
        {INVIG_ACCESS_BLOCKED, 0, false, true, true},
    };
    struct invig_member *member = require_member(require_evaluation("e1"), 0);

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        member->record.access = cases[i].access;
        member->student_count = cases[i].students;
        member->record.is_blocked = cases[i].is_blocked;
        assert_int_equal(invig_member_is_participant(member), cases[i].participates);
        assert_int_equal(invig_member_is_blocked(member), cases[i].stopped);
    }
}

static void test_evaluation_presence(void **state)
{
    struct invig_evaluation *one = require_evaluation("e1");
    struct invig_member *member = require_member(one, 0);

    (void)state;
    invig_evaluations_set_phase(&evaluations, one, phase("IN_PROGRESS"), false);
    assert_false(invig_member_has_presence(&evaluations, member));
    member->record.has_connected = true;
    assert_true(invig_member_has_presence(&evaluations, member));
    member->record.access = INVIG_ACCESS_DENIED;
    assert_false(invig_member_has_presence(&evaluations, member));
    member->record.access = INVIG_ACCESS_BLOCKED;
    invig_evaluations_set_phase(&evaluations, one, phase("GRADING"), false);
    assert_false(invig_member_has_presence(&evaluations, member));
}

static char *text_new(const char *text)
{
    char *copy = invig_text_copy(invig_text_of(text));

    assert_non_null(copy);
    return copy;
}

static void test_evaluation_change_is_undone_or_accepted(void **state)
{
    struct invig_evaluation *one = require_evaluation("e1");
    struct invig_member *member = require_member(one, 0);

    (void)state;
    for (int i = 0; i < 2; i++) {
        invig_evaluations_set_phase(&evaluations, one, phase("IN_PROGRESS"), false);
        invig_evaluations_set_message(&evaluations, one, (struct invig_text){text_new("a"), 1});
        invig_evaluations_set_message(&evaluations, one, (struct invig_text){text_new("b"), 1});
        invig_evaluations_set_member_message(&evaluations, member,
                                             (struct invig_text){text_new("c"), 1});
        member->record.is_bound = true;
        users[0].bound_count = 1;
        if (i == 0) {
            invig_evaluations_undo(&evaluations, one);
            invig_evaluations_undo_member(&evaluations, member);
            assert_int_equal(one->phase, -1);
            assert_false(one->is_strict);
            assert_int_equal(evaluations.strict_count, 0);
            assert_null(one->record.message.data);
            assert_null(member->record.message.data);
            assert_int_equal(users[0].bound_count, 0);
            assert_null(journal.first);
        }
    }
    invig_evaluations_accept(one);
    invig_evaluations_accept_member(member);
    store_all();
    /* From here on this is what an undone change goes back to. */
    invig_evaluations_set_phase(&evaluations, one, phase("GRADING"), false);
    invig_evaluations_set_message(&evaluations, one, (struct invig_text){text_new("d"), 1});
    invig_evaluations_set_member_message(&evaluations, member, (struct invig_text){NULL, 0});
    invig_evaluations_undo(&evaluations, one);
    invig_evaluations_undo_member(&evaluations, member);
    assert_true(one->is_strict);
    assert_true(invig_text_equal(one->record.message, invig_text_of("b")));
    assert_true(invig_text_equal(member->record.message, invig_text_of("c")));
    assert_int_equal(users[0].bound_count, 1);
}

static void test_evaluation_number_is_bounded(void **state)
{
    struct invig_evaluation *last = NULL;
    char id[16];

    (void)state;
    for (int i = 0; i < INVIG_EVALUATIONS_KNOWN_MAX; i++) {
        (void)snprintf(id, sizeof(id), "e%d", i);
        last = require_evaluation(id);
    }
    assert_int_equal(invig_evaluations_require(&evaluations, invig_text_of("more"), &last),
                     INVIG_ERR_FULL);
    assert_ptr_equal(require_evaluation(id), last); /* one that is known is no more */
    assert_true(invig_evaluations_release(&evaluations, last));
    (void)require_evaluation("more");
}

#define EVALUATION_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        EVALUATION_TEST(test_evaluation_is_found_by_id),
        EVALUATION_TEST(test_evaluation_members_are_linked_both_ways),
        EVALUATION_TEST(test_evaluation_member_is_kept_while_it_says_something),
        EVALUATION_TEST(test_evaluation_is_kept_while_it_says_something),
        EVALUATION_TEST(test_evaluation_is_strict_by_phase_unless_switched_off),
        EVALUATION_TEST(test_evaluation_pending_is_a_queue_of_members),
        EVALUATION_TEST(test_evaluation_participant_and_blocked),
        EVALUATION_TEST(test_evaluation_presence),
        EVALUATION_TEST(test_evaluation_change_is_undone_or_accepted),
        EVALUATION_TEST(test_evaluation_number_is_bounded),
    };

    return cmocka_run_group_tests_name("evaluation", tests, NULL, NULL);
}
