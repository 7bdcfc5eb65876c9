# Not built here. `nix build 'path:.?dir=packaging'` in a checkout.
{
  description = "fry-run: run a command and leave no process behind";
  inputs.nixpkgs.url = "nixpkgs";
  outputs = { self, nixpkgs }:
    let
      systems = [ "x86_64-linux" "aarch64-linux" ];
      package = pkgs: pkgs.stdenv.mkDerivation {
        pname = "fry-run";
        version = "1.0.0";
        src = ../.;
        makeFlags = [ "CC=${pkgs.stdenv.cc.targetPrefix}cc" "PREFIX=${placeholder "out"}" ];
        doCheck = true;
        checkPhase = "sh test/smoke ./fry-run";
      };
    in {
      packages = nixpkgs.lib.genAttrs systems (system: {
        default = package nixpkgs.legacyPackages.${system}.pkgsStatic;
      });
    };
}
