"""ECG and text towers: published sizes, what padding and absent leads may not change, folders that are checked."""

from __future__ import annotations

import json

import pytest
import torch

from ecglm.errors import CheckpointError, ConfigError
from ecglm.models.ecgtext import EcgTextModel, architectures, load_architecture
from ecglm.models.ecgtext.config import DecoderConfig, EcgTextConfig, TextConfig, VectorConfig, VitConfig
from ecglm.models.ecgtext.tokens import TextTokens
from ecglm.models.ecgtext.towers import END, PAD, START, CaptionDecoder, EcgVit, TextTower

TEXTS = ["sinus rhythm. normal ecg.", "vorhofflimmern. überdrehter linkstyp.", "atrial fibrillation", "RR: 812 PR: 160"]


@pytest.fixture(scope="module")
def tokens():
    return TextTokens.learn(TEXTS, 200)


def tiny(tokens, **towers):
    torch.manual_seed(0)
    towers = towers or {"vector": VectorConfig(inputs=7, hidden=16, tokens=2, width=16)}
    return EcgTextModel(EcgTextConfig(embed=8, text=TextConfig(context=24, width=16, layers=1, heads=2),
                                      decoder=DecoderConfig(width=16, layers=1, heads=2), **towers), tokens).eval()


def test_the_published_tower_has_its_published_size():
    config = load_architecture("ecg_coca")
    assert config.vit is not None
    assert config.decoder is not None
    with torch.device("meta"):
        ecg = EcgVit(config.vit, config.embed, 500.0)
        assert 85e6 < sum(p.numel() for p in ecg.parameters()) < 87e6  # 12 layers of width 768 and the patches
        tokens, emb = ecg(torch.zeros(2, 12, 5000), torch.ones(2, 12))
        assert tokens.shape == (2, 101, 768)  # 100 patches of 100 ms and the class token
        assert emb.shape == (2, 512)
        decoder = CaptionDecoder(config.decoder, config.text, 768)
        assert decoder(torch.zeros(2, 75, dtype=torch.long), tokens).shape == (2, 75, config.text.vocabulary)


def test_all_architectures_load_and_a_wrong_name_is_helped():
    assert {"ecg_coca", "ecg_text_small", "ecg_vit_small"} <= set(architectures())
    for name in architectures():
        load_architecture(name)
    with pytest.raises(ConfigError, match="did you mean 'ecg_coca'"):
        load_architecture("ecg_cocoa")


def test_padding_changes_no_text(tokens):
    tower = TextTower(TextConfig(vocabulary=tokens.size, context=32, width=16, layers=2, heads=2), 8).eval()
    ids = tokens([TEXTS[2]], 32)
    padded = torch.nn.functional.pad(ids, (0, 10), value=PAD)
    torch.testing.assert_close(tower(ids), tower(padded))


def test_the_decoder_sees_no_later_word_and_sees_the_ecg(tokens):
    model = tiny(tokens)
    ids = tokens([TEXTS[0]], 24)
    ecg = model.ecg(torch.ones(1, 7))[0]
    changed = ids.clone()
    changed[0, 4:] = 5
    before, after = model.decoder(ids, ecg), model.decoder(changed, ecg)
    torch.testing.assert_close(before[:, :4], after[:, :4])
    assert not torch.allclose(before[:, 4:], after[:, 4:])
    assert not torch.allclose(before, model.decoder(ids, -ecg))


def test_an_absent_lead_is_not_read(tokens):
    model = tiny(tokens, vit=VitConfig(fs=125, samples=1250, patch=25, width=16, layers=1, heads=2))
    sig, mask = torch.randn(1, 12, 1250), torch.ones(1, 12)
    mask[0, 3] = 0
    other = sig.clone()
    other[0, 3] = 9
    torch.testing.assert_close(model.encode_ecg(sig, mask), model.encode_ecg(other, mask))
    assert not torch.allclose(model.encode_ecg(sig, mask), model.encode_ecg(sig, torch.ones(1, 12)))
    with pytest.raises(ValueError, match="more than the 1250"):
        model.encode_ecg(torch.zeros(1, 12, 1500), torch.ones(1, 12))


def test_texts_are_tokenised_between_marks_digits_one_by_one_and_cut_at_the_context(tokens):
    ids = tokens(["812", "sinus rhythm " * 40], 24)
    assert ids[0, :5].tolist() == [START, *(tokens.core.token_to_id(d) for d in "812"), END]
    assert ids.shape == (2, 24)
    assert ids[1, 23] == END
    assert torch.equal(tokens(["Überdrehter"], 24), tokens(["ueberdrehter."], 24))


def test_vectors_are_of_unit_length_whatever_the_order_of_the_texts(tokens):
    model = tiny(tokens)
    emb = model.encode_text(TEXTS, batch=2)
    torch.testing.assert_close(emb.norm(dim=1), torch.ones(len(TEXTS)))
    torch.testing.assert_close(emb.flip(0), model.encode_text(TEXTS[::-1], batch=3), atol=1e-5, rtol=1e-4)


def test_a_folder_gives_back_the_model_and_damage_is_found(tokens, tmp_path):
    model = tiny(tokens)
    model.save_pretrained(tmp_path / "m", {"version": "test"}, "# card\n")
    loaded = EcgTextModel.from_pretrained(tmp_path / "m")
    assert loaded.decoder is None
    torch.testing.assert_close(loaded.encode_text(TEXTS), model.encode_text(TEXTS), atol=2e-3, rtol=1e-2)  # half precision
    config = json.loads((tmp_path / "m" / "config.json").read_text())
    (tmp_path / "m" / "config.json").write_text(json.dumps({**config, "embed": 16}))
    with pytest.raises(CheckpointError, match="checksum differs"):
        EcgTextModel.from_pretrained(tmp_path / "m")
    with pytest.raises(CheckpointError, match="ecg_chat"):
        EcgTextModel.from_pretrained(tmp_path / "none")
