"""Makes a sentence embedding model with random weights, of the shape of the one inside Open WebUI's image.

Run by the Python of Open WebUI's environment: `python embedding_model.py FOLDER`, which becomes a cache as
huggingface_hub lays it out. Texts that share words are near each other, which is enough to find a document.
"""

import random
import string
import sys
from pathlib import Path

REPOSITORY = "models--sentence-transformers--all-MiniLM-L6-v2"
REVISION = "0" * 40
DIMENSIONS = 384
SEED = 7


def main() -> None:
    """Write the model and the reference that names it."""
    import torch
    from sentence_transformers import SentenceTransformer, models
    from transformers import BertConfig, BertModel, BertTokenizer

    place = Path(sys.argv[1]) / REPOSITORY
    snapshot = place / "snapshots" / REVISION
    plain = place / "plain"
    plain.mkdir(parents=True)
    characters = string.ascii_lowercase + string.digits
    random.seed(SEED)
    torch.manual_seed(SEED)
    pairs = [first + second for first in characters for second in characters]
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *characters, *pairs, *string.punctuation]
    words += [f"##{piece}" for piece in (*characters, *pairs)]
    (plain / "vocab.txt").write_text("\n".join(words) + "\n", "utf-8")
    BertTokenizer(vocab_file=str(plain / "vocab.txt")).save_pretrained(plain)
    config = BertConfig(
        vocab_size=len(words),
        hidden_size=DIMENSIONS,
        num_hidden_layers=6,
        num_attention_heads=12,
        intermediate_size=1536,
    )
    BertModel(config).save_pretrained(plain)
    word = models.Transformer(str(plain), max_seq_length=256)
    pooling = models.Pooling(DIMENSIONS, pooling_mode="mean")
    SentenceTransformer(modules=[word, pooling, models.Normalize()], device="cpu").save(str(snapshot))
    (place / "refs").mkdir()
    (place / "refs" / "main").write_text(REVISION)


if __name__ == "__main__":
    main()
