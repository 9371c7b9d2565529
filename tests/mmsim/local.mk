# tests/mmsim
