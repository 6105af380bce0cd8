"""Fine-tunes pretrained models, fully or by LoRA, and turns them into GGUF files.

`python -m training.finetune` trains, `python -m training.finetune.gguf` converts. Never
imported by the library; needs the packages of `training/finetune/requirements.txt`.
"""
