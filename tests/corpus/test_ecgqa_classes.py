"""Classes of ECG-QA's files as FSL-ECG-QA makes them."""

from __future__ import annotations

from ecglm.corpus.ecgqa_classes import ClassRules, ecgqa_classes

FEW = ClassRules(least={"verify": 2, "choose": 2, "query": 2}, least_wording=2)
ROWS = {n: n - 1 for n in range(1, 200)}


def question(kind, answer, ecg=1, template=1, attribute=("afib",), question_id=7, text="AF?"):
    return {"question_type": f"single-{kind}", "template_id": template, "question_id": question_id, "question": text,
            "answer": list(answer), "ecg_id": [ecg], "attribute": list(attribute)}


def test_verify_has_yes_and_no_and_no_other_answer():
    asked = [question("verify", [answer], ecg) for ecg in range(1, 5) for answer in ("yes", "no", "not sure")]
    found = ecgqa_classes(asked, ROWS, "verify", rules=FEW)
    assert sorted(groups[0].answer for groups in found) == ["no", "yes"]
    assert all(groups[0].attribute == "1|afib" for groups in found)
    assert found[0][0].rows.tolist() == [0, 1, 2, 3]


def test_choose_names_both_and_one_class_per_attribute_for_none():
    asked = [question("choose", answer, ecg, attribute=("b", "a"))
             for ecg in range(1, 4) for answer in (["a"], ["a", "b"], ["none"])]
    found = {(groups[0].attribute, groups[0].answer) for groups in ecgqa_classes(asked, ROWS, "choose", rules=FEW)}
    assert found == {("1|a", "a"), ("1|a_b", "both"), ("1|a", "none"), ("1|b", "none")}


def test_query_joins_answers():
    asked = [question("query", ["x", "w"], ecg) for ecg in range(1, 4)]
    assert ecgqa_classes(asked, ROWS, "query", rules=FEW)[0][0].answer == "w, x"


def test_excluded_templates_small_classes_absent_recordings_and_comparisons_are_left_out():
    asked = [question("verify", ["yes"], ecg, template=14) for ecg in range(1, 9)]
    asked += [question("verify", ["yes"], 1, template=2), question("verify", ["yes"], 999, template=3),
              question("verify", ["yes"], 998, template=3)]
    asked += [question("verify", ["yes"], 1, template=5) | {"ecg_id": [1, 2]} for _ in range(5)]
    assert ecgqa_classes(asked, ROWS, "verify", rules=FEW) == []
    assert ecgqa_classes([question("verify", ["yes"], ecg) for ecg in range(1, 140)], ROWS, "verify") == []  # published: 140


def test_wordings_are_questions_of_their_own_unless_they_may_differ():
    asked = [question("verify", ["yes"], ecg, question_id=ecg % 2, text="one" if ecg % 2 else "two") for ecg in range(1, 9)]
    same = ecgqa_classes(asked, ROWS, "verify", "same", FEW)[0]
    assert [group.wordings for group in same] == [("two",), ("one",)]
    assert not set(same[0].rows) & set(same[1].rows)
    (different,) = ecgqa_classes(asked, ROWS, "verify", "different", FEW)[0]
    assert different.wordings == ("one", "two")
    assert len(different.rows) == 8


def test_wordings_that_may_differ_still_name_the_same_attributes():
    asked = [question("choose", ["a"], ecg, attribute=("a", other), question_id=ecg, text=f"a or {other}?")
             for ecg in range(1, 7) for other in ("b" if ecg < 4 else "c")]
    (groups,) = ecgqa_classes(asked, ROWS, "choose", "different", FEW)
    assert [(g.wordings, g.rows.tolist()) for g in groups] == [(("a or b?",), [0, 1, 2]), (("a or c?",), [3, 4, 5])]


def test_the_real_files_have_classes(data_dir):
    from ecglm.corpus import ptbxl
    from ecglm.corpus.ecgqa_official import all_questions

    row_of = {int(ecg_id): row for row, ecg_id in enumerate(ptbxl.load().ecg_id)}
    found = ecgqa_classes(all_questions(), row_of, "verify", "different", FEW)
    assert len(found) > 5
