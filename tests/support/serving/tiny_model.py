"""Makes a language model of 80 kB that says known sentences, for the runner of Ollama.

Run by a Python with the package `gguf`: `python tiny_model.py FILE NAME [vectors]`. A Llama with one layer that
changes nothing, so that each token's successor stands in the last matrix: after `<|assistant|>` comes SENTENCE and
the end, after `<|endless|>` one word follows the other until somebody ends it. Everything before is read and counted
byte by byte. With `vectors` it says nothing, but is a model that makes vectors of texts.
"""

import sys
from itertools import pairwise
from pathlib import Path

SENTENCE = ("It", "works", "as", "it", "was", "deployed", ".")
ENDLESS = ("on", "and")
CONTEXT_TOKENS = 131_072
"""What it was trained for, it says: as Llama 3.1."""
WIDTH = 32
"""Of the embedding; each token with a successor has a dimension of its own."""
SPACE = "\u2581"
END = "</s>"
ASSISTANT, ENDLESS_ASSISTANT = "<|assistant|>", "<|endless|>"


def vocabulary() -> dict[str, int]:
    """Return tokens and their numbers: three that are special, every byte, two openings, the words."""
    words = [SPACE + word for word in (*SENTENCE, *ENDLESS)]
    tokens = ["<unk>", "<s>", END, *(f"<0x{byte:02X}>" for byte in range(256)), ASSISTANT, ENDLESS_ASSISTANT, *words]
    return {token: number for number, token in enumerate(tokens)}


def successors() -> dict[str, str]:
    """Return what follows each token that anything follows."""
    said = [ASSISTANT, *(SPACE + word for word in SENTENCE), END]
    first, second = (SPACE + word for word in ENDLESS)
    return {**dict(pairwise(said)), ENDLESS_ASSISTANT: first, first: second, second: first}


def main() -> None:
    """Write the file."""
    import numpy
    from gguf import GGUFWriter, PoolingType, TokenType

    tokens = vocabulary()
    embedding = numpy.zeros((len(tokens), WIDTH), numpy.float32)
    output = numpy.zeros((len(tokens), WIDTH), numpy.float32)
    embedding[:, 0] = 1
    for dimension, (token, follower) in enumerate(successors().items(), 1):
        embedding[tokens[token]] = numpy.eye(WIDTH, dtype=numpy.float32)[dimension]
        output[tokens[follower], dimension] = 10
    special = {"<unk>": TokenType.UNKNOWN, "<s>": TokenType.CONTROL, END: TokenType.CONTROL}
    special |= {ASSISTANT: TokenType.CONTROL, ENDLESS_ASSISTANT: TokenType.CONTROL}
    square, ones = numpy.zeros((WIDTH, WIDTH), numpy.float32), numpy.ones(WIDTH, numpy.float32)

    writer = GGUFWriter(str(Path(sys.argv[1])), "llama")
    # Two names with the same weights are one model to Ollama, and loaded once.
    writer.add_description(sys.argv[2])
    writer.add_context_length(CONTEXT_TOKENS)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(1)
    writer.add_feed_forward_length(WIDTH)
    writer.add_head_count(1)
    writer.add_head_count_kv(1)
    writer.add_rope_dimension_count(WIDTH)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(len(tokens))
    if "vectors" in sys.argv[3:]:
        writer.add_pooling_type(PoolingType.MEAN)
    writer.add_file_type(0)
    writer.add_tokenizer_model("llama")
    writer.add_token_list(list(tokens))
    writer.add_token_scores([0.0] * len(tokens))
    kinds = [special.get(token, TokenType.BYTE if token.startswith("<0x") else TokenType.NORMAL) for token in tokens]
    writer.add_token_types(kinds)
    writer.add_bos_token_id(tokens["<s>"])
    writer.add_eos_token_id(tokens[END])
    writer.add_unk_token_id(tokens["<unk>"])
    writer.add_tensor("token_embd.weight", embedding)
    writer.add_tensor("output.weight", output)
    writer.add_tensor("output_norm.weight", ones)
    for name in ("attn_norm", "ffn_norm"):
        writer.add_tensor(f"blk.0.{name}.weight", ones)
    for name in ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down"):
        writer.add_tensor(f"blk.0.{name}.weight", square)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


if __name__ == "__main__":
    main()
