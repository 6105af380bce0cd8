"""What continues a prompt: llama.cpp in this process, or a script in tests."""
